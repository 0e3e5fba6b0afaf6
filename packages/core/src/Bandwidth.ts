/**
 * A limit for the bytes of all uploads together: a service that hands out
 * leave to send, and a client whose bodies ask it.
 *
 * Leave is given in the order in which it was asked for, in small portions, so
 * that uploads share the limit evenly and none of them looks stalled. Within a
 * process that is a sum and a sleep, without a store that may fail and without
 * windows at whose start everybody may send at once; across processes,
 * `BandwidthRateLimiter` counts.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Body } from "./Body.ts"
import * as Monotonic from "./internal/monotonic.ts"
import { portionFor, positive, reserve } from "./internal/client/bandwidth.ts"
import type { Length } from "./Part.ts"
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
 * One limit for this process, of `bytesPerSecond`, a positive number. It is
 * counted on Effect's monotonic clock, in what is read to be sent: headers, and what
 * lower layers send again, come on top. A value that isn't positive is a defect.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: { readonly bytesPerSecond: Length }): Layer.Layer<Bandwidth> =>
  Layer.effect(
    Bandwidth,
    Effect.map(positive(options), (bytesPerSecond) => {
      let free = Number.NEGATIVE_INFINITY
      return {
        portion: portionFor(bytesPerSecond),
        take: (bytes: number) =>
          Effect.flatMap(Monotonic.now, (now) => {
            const reserved = reserve(free, now, bytes, bytesPerSecond)
            free = reserved.free
            return reserved.wait > 0 ? Effect.sleep(Duration.millis(reserved.wait)) : Effect.void
          })
      }
    })
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
const slowed = <E>(
  { portion, take }: Bandwidth["Service"],
  { size, read, left }: Body<E>
): Body<E> => ({
  size,
  left,
  read: Effect.fnUntraced(function* (target: Uint8Array, offset: number) {
    for (let done = 0; done < target.length; done += portion) {
      const piece = target.subarray(done, done + portion)
      yield* take(piece.length)
      yield* read(piece, offset + done)
    }
  })
})
