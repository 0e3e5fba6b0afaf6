/**
 * What a request over HTTP asks for: which bucket and key, in host style or in
 * path style, and which operation. Pure.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { refuse, type Refusal } from "./ErrorCode.ts"
import type { Operation } from "./Fault.ts"
import { isSubResource } from "./internal/signatureV1.ts"

/**
 * A request line and its headers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Head {
  readonly method: string
  /** Path and query as they were sent. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

/**
 * What a request is about.
 *
 * @category models
 * @since 0.1.0
 */
export interface Route {
  readonly operation: Operation
  readonly bucket?: string | undefined
  /** Unescaped. */
  readonly key?: string | undefined
  readonly uploadId?: string | undefined
  /** As given: possibly no part number at all. */
  readonly partNumber?: number | undefined
  /** Unescaped; a parameter without a value has an empty one. */
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
}

/**
 * Reads a request. Fails only if its path can't be unescaped; what the
 * emulator does not implement is operation `other`.
 *
 * @category routing
 * @since 0.1.0
 */
export const route = (head: Head): Result.Result<Route, Refusal> => {
  const [path = "", ...rest] = head.url.split("?")
  const query = [...new URLSearchParams(rest.join("?"))]
  return Result.map(placeOf(head.headers["host"] ?? "", path), ({ bucket, key }) => {
    const parameters = new Map(query)
    const partNumber = parameters.get("partNumber")
    return {
      operation: operationOf({ ...head, bucket, key, parameters }),
      bucket,
      key,
      uploadId: parameters.get("uploadId"),
      partNumber: partNumber === undefined ? undefined : Number(partNumber),
      query
    }
  })
}

interface Place {
  readonly bucket?: string | undefined
  readonly key?: string | undefined
}

const placeOf = (host: string, path: string): Result.Result<Place, Refusal> => {
  const bucket = bucketOfHost(host)
  const raw = path.replace(/^\//, "")
  const [first = "", ...segments] = raw.split("/")
  const escaped =
    bucket === undefined ? { bucket: first, key: segments.join("/") } : { bucket, key: raw }
  return Option.all({ bucket: unescape(escaped.bucket), key: unescape(escaped.key) }).pipe(
    Option.map(({ bucket, key }) => ({ bucket: bucket || undefined, key: key || undefined })),
    Result.fromOption(() => refuse("InvalidObjectName"))
  )
}

const unescape = Option.liftThrowable(decodeURIComponent)

/**
 * The bucket of a host-style request: the first label of `BUCKET.localhost` or
 * `BUCKET.REGION.aliyuncs.com`. ali-oss without a bucket sends `null` there.
 */
const bucketOfHost = (host: string): string | undefined => {
  const name = host.replace(/:\d+$/, "").toLowerCase()
  const [, label] = /^([^.]+)\.(?:localhost|[^.]+(?:\.[^.]+)*\.aliyuncs\.com)$/.exec(name) ?? []
  return label === "null" || label === "undefined" ? undefined : label
}

interface Question extends Place, Head {
  readonly parameters: ReadonlyMap<string, string>
}

const operationOf = (question: Question): Operation => {
  const { bucket, key, parameters } = question
  if (bucket === undefined || asksForMore(parameters)) return "other"
  return key === undefined ? bucketOperation(question) : objectOperation(question)
}

/** Sub-resources that do not change what a request is. */
const understood: ReadonlySet<string> = new Set([
  "callback",
  "callback-var",
  "continuation-token",
  "objectMeta",
  "partNumber",
  "security-token",
  "uploadId",
  "uploads"
])

const asksForMore = (parameters: ReadonlyMap<string, string>) =>
  [...parameters.keys()].some(
    (name) =>
      isSubResource(name) &&
      !understood.has(name) &&
      !name.startsWith("response-") &&
      !/^x-oss-(signature|credential|date|expires|additional|security|traffic)/.test(name)
  )

const bucketOperation = ({ method, parameters }: Question): Operation => {
  if (method === "GET") return parameters.has("uploads") ? "listUploads" : "listObjects"
  return method === "PUT" ? "putBucket" : "other"
}

const objectOperation = ({ method, parameters, headers }: Question): Operation => {
  if (headers["x-oss-copy-source"] !== undefined) return "other"
  if (parameters.has("uploads")) return method === "POST" ? "initiate" : "other"
  const table = parameters.has("uploadId") ? uploadOperations : objectOperations
  return table[method] ?? "other"
}

const uploadOperations: Readonly<Record<string, Operation>> = {
  PUT: "uploadPart",
  GET: "listParts",
  POST: "complete",
  DELETE: "abort"
}

const objectOperations: Readonly<Record<string, Operation>> = {
  PUT: "put",
  GET: "get",
  HEAD: "head",
  DELETE: "delete"
}
