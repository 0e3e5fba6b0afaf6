/**
 * Lists parts and uploads at OSS, page by page. Each page must lead to a later
 * one, with any client: a list that repeats its marker would never end.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type OssError, UnreadableResponse } from "../../OssError.ts"
import type { ListedPart, ListedUpload, UploadPosition } from "../../OssModel.ts"
import { isBeyond, isPartBeyond } from "../position.ts"
import type { Requests } from "./request.ts"
import { failure, request } from "./request.ts"

const astray = (requests: Requests, operation: "listParts" | "listUploads") =>
  failure(
    requests,
    operation,
    new UnreadableResponse({ description: "the list does not go on where it should" })
  )

/**
 * The parts of an upload with numbers above `after`, up to the page that reaches
 * `last`. None if RAM forbids to list them.
 */
export const listParts = Effect.fnUntraced(
  function* (requests: Requests, uploadId: string, { after = 0, last = Infinity } = {}) {
    const { client, key } = requests
    const parts: Array<ListedPart> = []
    for (let next: number | undefined = after; next !== undefined && next < last;) {
      const position = next > 0 ? { after: next } : {}
      const page: Effect.Success<ReturnType<typeof client.listParts>> = yield* request(
        requests,
        "listParts",
        client.listParts({ key, uploadId, ...position }).pipe(
          Effect.filterOrFail(
            (page) => isOnward(page.next, position.after),
            () => astray(requests, "listParts")
          )
        )
      )
      for (const part of page.parts) parts.push(part)
      next = Option.getOrUndefined(page.next)
    }
    return Option.some(parts)
  },
  Effect.catchReason("OssError", "AccessDenied", () => Effect.succeedNone)
)

const isOnward = (next: Option.Option<number>, after = 0) =>
  Option.isNone(next) || isPartBeyond(next.value, after)

/** A listed upload, with the server's time of the list. */
interface Dated extends ListedUpload {
  /** In milliseconds since 1970. */
  readonly serverTime: number
}

/** All uploads whose keys begin with `prefix`, page by page. */
export const uploadsIn = (
  requests: Requests,
  prefix: string | undefined
): Stream.Stream<Dated, OssError> => uploadsUntil(requests, prefix, () => false)

/** Stops before the next page if `isEnd` is true of its position. */
const uploadsUntil = (
  requests: Requests,
  prefix: string | undefined,
  isEnd: (next: UploadPosition) => boolean
): Stream.Stream<Dated, OssError> =>
  Stream.paginate(undefined as UploadPosition | undefined, (after) => {
    const page = requests.client.listUploads({ prefix, after }).pipe(
      Effect.filterOrFail(
        ({ next }) => Option.isNone(next) || after === undefined || isBeyond(next.value, after),
        () => astray(requests, "listUploads")
      )
    )
    return Effect.map(
      request(requests, "listUploads", page),
      ({ uploads, next, serverTime }) =>
        [
          uploads.map((upload): Dated => ({ ...upload, serverTime })),
          Option.filter(next, (next) => !isEnd(next))
        ] as const
    )
  })

/** The uploads of exactly this key. Empty if RAM forbids to list them. */
export const uploadsOfKey = (
  requests: Requests
): Effect.Effect<ReadonlyArray<ListedUpload>, OssError> =>
  // Keys ascend, so the key itself comes before all keys that begin with it.
  uploadsUntil(requests, requests.key, ({ key }) => key !== requests.key).pipe(
    Stream.filter(({ key }) => key === requests.key),
    Stream.runCollect,
    Effect.catchReason("OssError", "AccessDenied", () => Effect.succeed([]))
  )
