/** What OSS has of one key, page by page; none where RAM forbids to list it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ListedPart, ListedUpload, UploadPosition } from "../../OssModel.ts"
import type { Requests } from "./session.ts"
import { request } from "./session.ts"

/** All parts of an upload. */
export const listParts = Effect.fnUntraced(
  function* (requests: Requests, uploadId: string) {
    const parts: Array<ListedPart> = []
    let after: number | undefined
    do {
      const page = yield* request(
        requests,
        "listParts",
        requests.client.listParts({ key: requests.key, uploadId, after })
      )
      parts.push(...page.parts)
      after = Option.getOrUndefined(page.next)
    } while (after !== undefined)
    return Option.some(parts)
  },
  Effect.catchReason("OssError", "AccessDenied", () => Effect.succeedNone)
)

/** The uploads of exactly this key. */
export const uploadsOfKey = Effect.fnUntraced(
  function* (requests: Requests) {
    const uploads: Array<ListedUpload> = []
    let serverTime = 0
    let after: UploadPosition | undefined
    do {
      const listed = requests.client.listUploads({ prefix: requests.key, after })
      const page = yield* request(requests, "listUploads", listed)
      uploads.push(...page.uploads.filter(({ key }) => key === requests.key))
      serverTime ||= page.serverTime
      // Keys ascend, so that the key itself stands before all that it is a prefix of.
      const next = Option.filter(page.next, ({ key }) => key === requests.key)
      after = Option.getOrUndefined(next)
    } while (after !== undefined)
    return Option.some({ uploads, serverTime })
  },
  Effect.catchReason("OssError", "AccessDenied", () => Effect.succeedNone)
)
