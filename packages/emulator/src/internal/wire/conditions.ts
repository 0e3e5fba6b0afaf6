/** Conditions on stored objects: `If-Match` and the like, for a request's own object or for a copy's source. */
import * as Result from "effect/Result"
import type { StoredObject } from "../state/model.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "./errors.ts"
import type { Headers } from "./requestRules.ts"

/**
 * OSS compares dates in seconds, and ETags with or without quotes. A positive
 * condition fails with 412, a negative one with 304.
 */
export const checkConditions = (
  headers: Headers,
  object: StoredObject,
  prefix: "" | "x-oss-copy-source-" = ""
): Result.Result<void, Refusal> => {
  const read = (name: string) => headers[`${prefix}${name}`]
  const modified = Math.floor(object.modified / 1000)
  const match = read("if-match")
  const unmodifiedSince = secondsOf(read("if-unmodified-since"))
  const noneMatch = read("if-none-match")
  const modifiedSince = secondsOf(read("if-modified-since"))
  if (match !== undefined && !names(match, object)) return failed("If-Match")
  if (unmodifiedSince !== undefined && modified > unmodifiedSince) {
    return failed("If-Unmodified-Since")
  }
  if (noneMatch !== undefined && names(noneMatch, object)) return unchanged(object)
  if (modifiedSince !== undefined && modified <= modifiedSince) return unchanged(object)
  return Result.succeed(undefined)
}

const names = (list: string, { etag }: StoredObject) =>
  list.trim() === "*" ||
  list.split(",").some((given) => given.trim().replaceAll('"', "") === etag.replaceAll('"', ""))

const secondsOf = (date: string | undefined): number | undefined => {
  const millis = Date.parse(date ?? "")
  return Number.isNaN(millis) ? undefined : Math.floor(millis / 1000)
}

const failed = (condition: string) =>
  Result.fail(refuse("PreconditionFailed", undefined, { Condition: condition }))

const unchanged = ({ etag, modified }: StoredObject) =>
  Result.fail(
    refuse(
      "NotModified",
      undefined,
      {},
      {
        etag,
        "last-modified": new Date(modified).toUTCString()
      }
    )
  )
