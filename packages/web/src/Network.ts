/**
 * The network as a page sees it: there, away, or back again.
 *
 * @since 0.1.0
 */
import type { CheckpointError } from "@effect-oss/core/CheckpointStore"
import type { OssError } from "@effect-oss/core/OssError"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/**
 * Returns once the browser says that it is online.
 *
 * @category waiting
 * @since 0.1.0
 */
export const online: Effect.Effect<void> = Effect.callback<void>((resume) => {
  // Where it isn't known it is tried.
  if (globalThis.navigator?.onLine !== false) return resume(Effect.void)
  const onOnline = () => resume(Effect.void)
  globalThis.addEventListener("online", onOnline, { once: true })
  return Effect.sync(() => globalThis.removeEventListener("online", onOnline))
})

/**
 * The events of an upload that never ends for want of a network. Core waits for
 * it for two minutes; then this waits until the browser is online, and carries
 * on. It does the same while another tab has the checkpoint, until that tab is
 * closed. `onWait` is told of the error.
 *
 * **Example** (an upload that outlives a train ride)
 *
 * ```ts
 * import { Source, Upload } from "@effect-oss/core"
 * import { Network } from "@effect-oss/web"
 * import { Console } from "effect"
 *
 * const events = (file: File) =>
 *   Network.carryOn(
 *     Upload.events({ key: file.name, source: Source.blob(file) }),
 *     (error) => Console.log(error.message)
 *   )
 * ```
 *
 * @category waiting
 * @since 0.1.0
 */
export const carryOn = <A, E extends { readonly _tag: string }, R>(
  events: Stream.Stream<A, E, R>,
  onWait: (error: E) => Effect.Effect<void> = () => Effect.void
): Stream.Stream<A, E, R> =>
  Stream.catch(events, (error) =>
    mayPass(error)
      ? Stream.unwrap(
          onWait(error).pipe(
            Effect.andThen(Effect.sleep("2 seconds")),
            Effect.andThen(online),
            Effect.as(carryOn(events, onWait))
          )
        )
      : Stream.fail(error)
  )

/** What goes away by itself: no connection, an error of the server's, another tab. */
const mayPass = (error: { readonly _tag: string }): boolean => {
  if (error._tag === "OssError") {
    const { isRetryable, isResumable } = error as OssError
    return isRetryable && isResumable
  }
  return error._tag === "CheckpointError" && (error as CheckpointError).reason._tag === "Busy"
}
