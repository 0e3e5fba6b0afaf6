/**
 * Limits the bandwidth of several processes together, with Effect's `RateLimiter`.
 * It is a separate module because it loads a client for Redis.
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
 * Limits all processes whose `RateLimiter` has the same store, such as
 * `RateLimiter.layerStoreRedis`. Each portion of at most 256 KiB takes one request
 * to the store. While the store is away, nothing is sent, and parts stall. Sending
 * resumes within a second after the store is back. A value that isn't positive is a
 * defect.
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
  /** The name of the limit in the store. Default: `effect-oss/bandwidth`. */
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
