/**
 * Limits the bandwidth of all uploads together. `layer` is the limit of one
 * process. For several processes, use `BandwidthRateLimiter`. `limited` makes a
 * client keep to the limit.
 *
 * Uploads get permission to send in small portions, first come, first served. So
 * they share the limit evenly, and none of them looks stalled.
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
 * Decides when bytes may be sent.
 *
 * @category services
 * @since 0.1.0
 */
export class Bandwidth extends Context.Service<
  Bandwidth,
  {
    /** The most bytes that `take` is called with, at least 1. */
    readonly portion: number
    /** Waits until this many bytes may be sent. First come, first served. */
    readonly take: (bytes: number) => Effect.Effect<void>
  }
>()("@effect-oss/core/Bandwidth") {}

/**
 * Limits this process to `bytesPerSecond`, a positive number. Only the bytes of
 * parts and objects count. Headers, and bytes that TCP sends again, come on top. A
 * value that isn't positive is a defect.
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
 * Wraps a client so that it sends parts and objects no faster than `Bandwidth`
 * allows. All clients with the same `Bandwidth` share its limit.
 *
 * **Details**
 *
 * Waiting for permission doesn't count as a stall, as long as each part gets a
 * portion within its `stallTimeout`. With the default, about a thousand parts can
 * be in flight at once.
 *
 * **Example** (at most 2 MB a second for all uploads)
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

/** A body whose reads wait for permission, portion by portion. Each portion shows as progress. */
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
