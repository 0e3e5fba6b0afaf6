/** The source object of a copy. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { StoredObject } from "../state/model.ts"
import { checkConditions } from "../wire/conditions.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { invalid } from "../wire/errors.ts"
import type { Located } from "./asked.ts"

/** Fails unless the source exists and meets the request's conditions. */
export const sourceOf = Effect.fnUntraced(function* ({ verbs, head }: Located) {
  const text = head.headers["x-oss-copy-source"] ?? ""
  const [bucket, ...key] = Option.getOrElse(unescape(text), () => "")
    .replace(/^\//, "")
    .split("/")
  if (!bucket || key.join("/") === "") {
    return yield* invalid(
      "x-oss-copy-source",
      text,
      "Copy Source must mention the source bucket and key: /sourcebucket/sourcekey."
    )
  }
  const versionId = new URLSearchParams(text.split("?")[1]).get("versionId") ?? undefined
  const place = { bucket, key: key.join("/"), versionId }
  const { object, versionId: found } = yield* Effect.mapError(verbs.find(place), noMarker(text))
  yield* Effect.fromResult(checkConditions(head.headers, object, "x-oss-copy-source-"))
  return {
    object,
    headers: found === undefined ? {} : { "x-oss-copy-source-version-id": found },
    range: (yield* rangeWithin(head.headers["x-oss-copy-source-range"], object)) ?? undefined
  }
})

/** OSS: a delete marker can't be copied, and the error is not `MethodNotAllowed`. */
const noMarker = (text: string) => (refusal: Refusal) =>
  refusal.code === "MethodNotAllowed"
    ? invalid(
        "x-oss-copy-source",
        text,
        "The source of a copy request may not specifically refer to a delete marker by version id.",
        "0016-00000307"
      )
    : refusal

const unescape = Option.liftThrowable((text: string) =>
  decodeURIComponent(text.split("?")[0] ?? "")
)

/** OSS: a range that is not within the source copies the whole source. */
const rangeWithin = (
  text: string | undefined,
  { size }: StoredObject
): Effect.Effect<{ readonly start: number; readonly end: number } | undefined | void, Refusal> => {
  if (text === undefined) return Effect.void
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(text) ?? []
  if (first === undefined || last === undefined) {
    return Effect.fail(invalid("x-oss-copy-source-range", text, "The range is malformed."))
  }
  const range = { start: Number(first), end: Number(last) + 1 }
  return Effect.succeed(range.start < range.end && range.end <= size ? range : undefined)
}
