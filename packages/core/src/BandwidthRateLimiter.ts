/**
 * One limit for the bytes of several processes, counted by Effect's
 * `RateLimiter`. It stands apart from `Bandwidth`, because it brings a client
 * of Redis with it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { RateLimiter } from "effect/persistence/RateLimiter"
import * as Schedule from "effect/Schedule"
import type { Length } from "./Part.ts"
import { Bandwidth } from "./Bandwidth.ts"
import { portionFor, positive } from "./internal/client/bandwidth.ts"

/**
 * One limit for all processes whose `RateLimiter` has the same store, such as
 * `RateLimiter.layerStoreRedis`: a request to the store for each portion, of at
 * most 256 KiB. While the store is away nothing is sent, so that a part counts
 * as stalled in the end; it goes on by itself within a second. A value that
 * isn't positive is a defect.
 *
 * **Example** (a limit for a whole fleet)
 *
 * ```ts
 * import { Bandwidth, OssClient } from "@effect-oss/core"
 * import * as BandwidthRateLimiter from "@effect-oss/core/BandwidthRateLimiter"
 * import { Layer } from "effect"
 * import { RateLimiter } from "effect/persistence"
 *
 * const layer = OssClient.layerConfig().pipe(
 *   Bandwidth.limited,
 *   Layer.provide(BandwidthRateLimiter.layer({ bytesPerSecond: 50_000_000 })),
 *   Layer.provide(RateLimiter.layer),
 *   Layer.provide(RateLimiter.layerStoreRedis())
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: {
  readonly bytesPerSecond: Length
  /** What the store calls it. Default: `effect-oss/bandwidth`. */
  readonly key?: string | undefined
}): Layer.Layer<Bandwidth, never, RateLimiter> =>
  Layer.effect(
    Bandwidth,
    Effect.gen(function* () {
      const bytesPerSecond = yield* positive(options)
      const { key = "effect-oss/bandwidth" } = options
      const { consume } = yield* RateLimiter
      const portion = portionFor(bytesPerSecond)
      const window = Duration.millis((portion / bytesPerSecond) * 1_000)
      const leave = (bytes: number) =>
        consume({ key, tokens: bytes, limit: portion, window, onExceeded: "delay" })
      return {
        portion,
        take: (bytes: number) =>
          leave(bytes).pipe(
            Effect.retry(Schedule.spaced("1 second")),
            Effect.flatMap(({ delay }) => Effect.sleep(delay)),
            Effect.orDie
          )
      }
    })
  )
