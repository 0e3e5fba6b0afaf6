/**
 * A limit for the bytes of all uploads together: a service that hands out
 * leave to send, and a client whose bodies ask it.
 *
 * Leave is given in the order in which it was asked for, in small portions, so
 * that uploads share the limit evenly and none of them looks stalled. Within a
 * process that is a sum and a sleep, without a store that may fail and without
 * windows at whose start everybody may send at once; across processes, Effect's
 * `RateLimiter` counts.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { RateLimiter } from "effect/persistence/RateLimiter"
import * as Schedule from "effect/Schedule"
import type { Body } from "./Body.ts"
import { OssClient } from "./OssClient.ts"

/**
 * Hands out leave to send.
 *
 * @category services
 * @since 0.1.0
 */
export class Bandwidth extends Context.Service<
  Bandwidth,
  {
    /** The most that is asked for at once, in bytes, at least 1. */
    readonly portion: number
    /** Waits until so many bytes may be sent; first come, first served. */
    readonly take: (bytes: number) => Effect.Effect<void>
  }
>()("@effect-oss/core/Bandwidth") {}

/**
 * When portions may be sent: nothing is saved up, so that there are no bursts
 * after a pause. Pure.
 *
 * `free` is when the line will be free again, `now` the time, both in
 * milliseconds; yields how long to wait, and when it will be free after that.
 *
 * @category deciding
 * @since 0.1.0
 */
export const reserve = (
  free: number,
  now: number,
  bytes: number,
  bytesPerSecond: number
): { readonly wait: number; readonly free: number } => {
  const start = Math.max(free, now)
  return { wait: start - now, free: start + (bytes / bytesPerSecond) * 1_000 }
}

/** In a second at most: enough for smooth progress of many uploads, few enough to cost nothing. */
const portionsPerSecond = 50

/** In bytes; larger ones don't cost less. */
const largestPortion = 256 * 1024

const positive = ({ bytesPerSecond }: { readonly bytesPerSecond: number }) =>
  bytesPerSecond > 0
    ? Effect.succeed(bytesPerSecond)
    : Effect.die(new RangeError(`${bytesPerSecond} bytes a second are not possible`))

const portionFor = (bytesPerSecond: number): number =>
  Math.max(1, Math.min(largestPortion, Math.floor(bytesPerSecond / portionsPerSecond)))

/**
 * One limit for this process, of `bytesPerSecond`, a positive number. It is
 * counted by Effect's `Clock`, in what is read to be sent: headers, and what
 * lower layers send again, come on top. A value that isn't positive is a defect.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: { readonly bytesPerSecond: number }): Layer.Layer<Bandwidth> =>
  Layer.effect(
    Bandwidth,
    Effect.map(positive(options), (bytesPerSecond) => {
      let free = 0
      return {
        portion: portionFor(bytesPerSecond),
        take: (bytes: number) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            const reserved = reserve(free, now, bytes, bytesPerSecond)
            free = reserved.free
            return reserved.wait > 0 ? Effect.sleep(Duration.millis(reserved.wait)) : Effect.void
          })
      }
    })
  )

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
 * import { Layer } from "effect"
 * import { RateLimiter } from "effect/persistence"
 *
 * const layer = OssClient.layerConfig().pipe(
 *   Bandwidth.limited,
 *   Layer.provide(Bandwidth.layerRateLimiter({ bytesPerSecond: 50_000_000 })),
 *   Layer.provide(RateLimiter.layer),
 *   Layer.provide(RateLimiter.layerStoreRedis())
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerRateLimiter = (options: {
  readonly bytesPerSecond: number
  /** What the store calls it. Default: `effect-oss/bandwidth`. */
  readonly key?: string | undefined
}): Layer.Layer<Bandwidth, never, RateLimiter> =>
  Layer.unwrap(
    // Loaded when it is used: it brings a client of Redis with it.
    Effect.map(
      Effect.promise(() => import("effect/persistence/RateLimiter")),
      ({ RateLimiter }) =>
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
    )
  )

/**
 * A client that sends parts and objects no faster than `Bandwidth` lets it. All
 * clients over the same `Bandwidth` share it.
 *
 * **Details**
 *
 * Waiting for leave doesn't count as a stall while portions keep coming, which
 * they do for some thousand parts at once with the default `stallTimeout`.
 *
 * **Example** (at most 2 MB a second, whatever is uploaded)
 *
 * ```ts
 * import { Bandwidth, OssClient } from "@effect-oss/core"
 * import { Layer } from "effect"
 *
 * const layer = OssClient.layerConfig().pipe(
 *   Bandwidth.limited,
 *   Layer.provide(Bandwidth.layer({ bytesPerSecond: 2_000_000 }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const limited = <E, R>(
  client: Layer.Layer<OssClient, E, R>
): Layer.Layer<OssClient, E, R | Bandwidth> =>
  Layer.effect(
    OssClient,
    Effect.gen(function* () {
      const bandwidth = yield* Bandwidth
      const client = yield* OssClient
      return OssClient.of({
        ...client,
        uploadPart: (part) => client.uploadPart({ ...part, body: slowed(bandwidth, part.body) }),
        put: (request) => client.put({ ...request, body: slowed(bandwidth, request.body) })
      })
    })
  ).pipe(Layer.provide(client))

/** A body whose every read waits for leave, portion by portion: each one shows as progress. */
const slowed = <E>({ portion, take }: Bandwidth["Service"], { size, read }: Body<E>): Body<E> => ({
  size,
  read: Effect.fnUntraced(function* (target: Uint8Array, offset: number) {
    for (let done = 0; done < target.length; done += portion) {
      const piece = target.subarray(done, done + portion)
      yield* take(piece.length)
      yield* read(piece, offset + done)
    }
  })
})
