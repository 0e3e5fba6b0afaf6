/**
 * Waits for the network in a page, and resumes an upload once the network is
 * back.
 *
 * @since 0.1.0
 */
import type { CheckpointError } from "@effect-oss/core/CheckpointStore"
import type { OssError } from "@effect-oss/core/OssError"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/**
 * Returns once the browser reports that it is online. Returns at once if the
 * browser doesn't know.
 *
 * @category waiting
 * @since 0.1.0
 */
export const online: Effect.Effect<void> = Effect.callback<void>((resume) => {
  // A browser that doesn't know may be online: the next request will show it.
  if (globalThis.navigator?.onLine !== false) return resume(Effect.void)
  const onOnline = () => resume(Effect.void)
  globalThis.addEventListener("online", onOnline, { once: true })
  return Effect.sync(() => globalThis.removeEventListener("online", onOnline))
})

/**
 * Resumes an upload after each outage of the network. An upload alone waits two
 * minutes for the network and then fails. `carryOn` then waits until the
 * browser is online, at least two seconds, and starts the upload again, which
 * resumes. It also waits while the server fails, and while another tab holds
 * the checkpoint. Any other error ends the stream. `onWait` runs before each
 * wait, with the error.
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

/** Temporary errors: no connection, a failing server, another tab. */
const mayPass = (error: { readonly _tag: string }): boolean => {
  if (error._tag === "OssError") {
    const { isRetryable, isResumable } = error as OssError
    return isRetryable && isResumable
  }
  return error._tag === "CheckpointError" && (error as CheckpointError).reason._tag === "Busy"
}
