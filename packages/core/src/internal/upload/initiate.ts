/**
 * Getting an upload id, and giving one up.
 *
 * An id whose response is lost stays on the server: it has no parts, so that it
 * costs nothing, and nothing tells it from one that another program has just
 * been given. It is left to `Upload.sweepOrphans` and to lifecycle rules.
 */
import * as Effect from "effect/Effect"
import type { ObjectOptions } from "../../ObjectOptions.ts"
import type { OssError } from "../../OssError.ts"
import type { Requests } from "./request.ts"
import { once, request } from "./request.ts"

/**
 * Asks OSS for an upload id and hands it to `record`, even if interruption
 * comes right then. What can't be recorded nobody would find: it is aborted.
 */
export const initiate = <E, R>(
  requests: Requests,
  options: ObjectOptions,
  record: (uploadId: string) => Effect.Effect<void, E, R>
): Effect.Effect<string, OssError | E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { client, key } = requests
      const { uploadId } = yield* restore(
        requests.retrying(once(requests, "initiate", client.initiate(key, options)))
      )
      yield* Effect.tapError(record(uploadId), () => restore(abandon(requests, uploadId)))
      return uploadId
    })
  )

/** RAM may forbid to abort; then a lifecycle rule of the bucket has to clean up. */
export const abort = (requests: Requests, uploadId: string): Effect.Effect<void, OssError> =>
  request(requests, "abort", requests.client.abort({ key: requests.key, uploadId })).pipe(
    Effect.catchReason("OssError", "NoSuchUpload", () => Effect.void),
    Effect.catchReason("OssError", "AccessDenied", (_, error) => staysOnServer(error))
  )

/** Aborts an upload that is of no use any more, if OSS lets it. The run is not about it: it waits no longer than for one response. */
export const abandon = (requests: Requests, uploadId: string): Effect.Effect<void> =>
  abort(requests, uploadId).pipe(
    Effect.timeoutOrElse({
      duration: requests.stallTimeout,
      orElse: () =>
        Effect.logWarning(
          "An upload could not be aborted in time and stays on the server. A lifecycle rule of the bucket can remove it."
        )
    }),
    Effect.catch(staysOnServer)
  )

const staysOnServer = (error: OssError) =>
  Effect.logWarning(
    "An upload could not be aborted and stays on the server. A lifecycle rule of the bucket can remove it.",
    error
  )
