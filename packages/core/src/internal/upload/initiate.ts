/**
 * Gets upload ids, and aborts them.
 *
 * An id whose response is lost stays on the server. It has no parts and costs
 * nothing, and it looks like an id that another program has just received.
 * `Upload.sweepOrphans` and lifecycle rules remove it.
 */
import * as Effect from "effect/Effect"
import type { ObjectOptions } from "../../ObjectOptions.ts"
import type { OssError } from "../../OssError.ts"
import type { Requests } from "./request.ts"
import { once, request } from "./request.ts"

/**
 * Gets an upload id from OSS and passes it to `record`, even if it is interrupted
 * right then. If `record` fails, the id is aborted: no later run could find it.
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

/** Aborts an upload. If RAM forbids it, warns: a lifecycle rule of the bucket has to clean up. */
export const abort = (requests: Requests, uploadId: string): Effect.Effect<void, OssError> =>
  request(requests, "abort", requests.client.abort({ key: requests.key, uploadId })).pipe(
    Effect.catchReason("OssError", "NoSuchUpload", () => Effect.void),
    Effect.catchReason("OssError", "AccessDenied", (_, error) => staysOnServer(error))
  )

/** Aborts an upload that is no longer needed. Only warns if it fails or takes too long. */
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
