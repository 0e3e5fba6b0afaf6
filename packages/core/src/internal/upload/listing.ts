/** What OSS has, page by page. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { OssError } from "../../OssError.ts"
import type { ListedPart, ListedUpload, UploadPosition } from "../../OssModel.ts"
import type { Requests } from "./request.ts"
import { request } from "./request.ts"

/** The parts of an upload whose numbers lie above `after` and end with `last`; none where RAM forbids to list them. */
export const listParts = Effect.fnUntraced(
  function* (requests: Requests, uploadId: string, { after = 0, last = Infinity } = {}) {
    const { client, key } = requests
    const parts: Array<ListedPart> = []
    for (let next: number | undefined = after; next !== undefined && next < last;) {
      const position = next > 0 ? { after: next } : {}
      const page: Effect.Success<ReturnType<typeof client.listParts>> = yield* request(
        requests,
        "listParts",
        client.listParts({ key, uploadId, ...position })
      )
      for (const part of page.parts) parts.push(part)
      next = Option.getOrUndefined(page.next)
    }
    return Option.some(parts)
  },
  Effect.catchReason("OssError", "AccessDenied", () => Effect.succeedNone)
)

/** Uploads as they are listed, with the server's time of the list. */
interface Dated extends ListedUpload {
  /** In milliseconds since 1970. */
  readonly serverTime: number
}

/** All uploads whose keys begin with `prefix`, page by page. */
export const uploadsIn = (
  requests: Requests,
  prefix: string | undefined
): Stream.Stream<Dated, OssError> =>
  Stream.paginate(undefined as UploadPosition | undefined, (after) =>
    Effect.map(
      request(requests, "listUploads", requests.client.listUploads({ prefix, after })),
      ({ uploads, next, serverTime }) =>
        [uploads.map((upload): Dated => ({ ...upload, serverTime })), next] as const
    )
  )

/** The uploads of exactly this key; none of them where RAM forbids to list them. */
export const uploadsOfKey = (
  requests: Requests
): Effect.Effect<ReadonlyArray<ListedUpload>, OssError> =>
  uploadsIn(requests, requests.key).pipe(
    // Keys ascend, so that the key itself stands before all that it is a prefix of.
    Stream.takeWhile(({ key }) => key === requests.key),
    Stream.runCollect,
    Effect.catchReason("OssError", "AccessDenied", () => Effect.succeed([]))
  )
