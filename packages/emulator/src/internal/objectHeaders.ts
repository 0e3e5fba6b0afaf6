/**
 * The headers that belong to an object: kept when it is stored, given back
 * when it is read.
 */
import * as Result from "effect/Result"
import type { StoredObject } from "../Bucket.ts"
import { refuse, type Refusal } from "../ErrorCode.ts"

type Headers = Readonly<Record<string, string | undefined>>

const kept =
  /^(content-(type|disposition|encoding|language)|cache-control|expires|x-oss-(meta-.+|storage-class|server-side-encryption.*|tagging|object-acl))$/

/** What of a request's headers is kept with the object. */
export const storedHeaders = (headers: Headers): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value !== undefined && kept.test(name) ? [[name, value]] : []
    )
  )

const concealed: ReadonlySet<string> = new Set(["x-oss-tagging", "x-oss-object-acl"])

/** What Head and Get tell of an object. */
export const toHeaders = (object: StoredObject): Record<string, string> => {
  const tags = new URLSearchParams(object.headers["x-oss-tagging"] ?? "").size
  return {
    "content-type": "application/octet-stream",
    "x-oss-storage-class": "Standard",
    ...Object.fromEntries(Object.entries(object.headers).filter(([name]) => !concealed.has(name))),
    ...(tags > 0 && { "x-oss-tagging-count": String(tags) }),
    "accept-ranges": "bytes",
    "x-oss-object-type": object.type,
    "last-modified": new Date(object.modified).toUTCString(),
    etag: object.etag
  }
}

/**
 * The part of an object that is asked for, `end` excluded; undefined for all of
 * it. OSS: a range that cannot be met is ignored, unless the client asks for
 * the standard behaviour.
 */
export const rangeOf = (
  headers: Headers,
  size: number
): Result.Result<{ readonly start: number; readonly end: number } | undefined, Refusal> => {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(headers["range"] ?? "") ?? []
  if (first === "" && last === "") return Result.succeed(undefined)
  const start = first === "" ? Math.max(size - Number(last), 0) : Number(first)
  const end = first === "" || last === "" ? size : Math.min(Number(last) + 1, size)
  if (start < end) return Result.succeed({ start, end })
  return headers["x-oss-range-behavior"] === "standard"
    ? Result.fail(refuse("InvalidRange", undefined, { ActualObjectSize: String(size) }))
    : Result.succeed(undefined)
}
