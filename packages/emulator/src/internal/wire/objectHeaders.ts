/**
 * The headers of an object. They are kept when it is stored, and returned when
 * it is read.
 */
import * as Result from "effect/Result"
import type { StoredObject } from "../state/model.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "./errors.ts"

type Headers = Readonly<Record<string, string | undefined>>

const kept =
  /^(content-(type|disposition|encoding|language)|cache-control|expires|x-oss-(meta-.+|storage-class|server-side-(data-)?encryption.*|tagging|object-acl))$/

/** The headers of a request that are kept with the object. */
export const storedHeaders = (headers: Headers): Record<string, string> => ({
  ...(headers["x-oss-server-side-encryption"] === "KMS" && {
    "x-oss-server-side-encryption-key-id": defaultKey
  }),
  ...Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value !== undefined && kept.test(name) ? [[name, value]] : []
    )
  )
})

/** OSS: KMS encryption without a key uses the account's own key and sends its id. */
const defaultKey = "9468da86-3509-4f8d-a61e-6eab1eac0000"

const concealed: ReadonlySet<string> = new Set([
  "x-oss-tagging",
  "x-oss-object-acl",
  "x-oss-symlink-target"
])

/** The ETag of an object that was put, in base64. */
const md5Of = (etag: string) => Buffer.from(etag.replaceAll('"', ""), "hex").toString("base64")

/** The headers of Head and Get about an object. */
export const toHeaders = (object: StoredObject): Record<string, string> => {
  const tags = new URLSearchParams(object.headers["x-oss-tagging"] ?? "").size
  return {
    "content-type": "application/octet-stream",
    "x-oss-storage-class": "Standard",
    ...Object.fromEntries(Object.entries(object.headers).filter(([name]) => !concealed.has(name))),
    ...(tags > 0 && { "x-oss-tagging-count": String(tags) }),
    "accept-ranges": "bytes",
    "x-oss-object-type": object.type,
    ...(object.type === "Appendable" && { "x-oss-next-append-position": String(object.size) }),
    "last-modified": new Date(object.modified).toUTCString(),
    ...(object.type === "Normal" && { "content-md5": md5Of(object.etag) }),
    etag: object.etag
  }
}

/** The headers of answers about the requested encryption. */
export const encryptionOf = (headers: Headers): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value !== undefined && /^x-oss-server-side-(data-)?encryption/.test(name)
        ? [[name, value]]
        : []
    )
  )

/**
 * The requested range of an object, `end` excluded; undefined for all of it.
 * OSS: the first of several ranges counts. A range that is not within the
 * object is ignored, unless the client asks for the standard behaviour.
 */
export const rangeOf = (
  headers: Headers,
  size: number
): Result.Result<{ readonly start: number; readonly end: number } | undefined, Refusal> => {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)(?:,.*)?$/.exec(headers["range"] ?? "") ?? []
  if (first === "" && last === "") return Result.succeed(undefined)
  const start = first === "" ? size - Number(last) : Number(first)
  const end = first === "" || last === "" ? size : Number(last) + 1
  if (start >= 0 && start < end && end <= size) return Result.succeed({ start, end })
  if (headers["x-oss-range-behavior"] !== "standard") return Result.succeed(undefined)
  const within = { start: Math.max(start, 0), end: Math.min(end, size) }
  return within.start < within.end
    ? Result.succeed(within)
    : Result.fail(refuse("InvalidRange", undefined, { ActualObjectSize: String(size) }))
}
