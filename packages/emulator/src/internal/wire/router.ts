/**
 * Finds the bucket, the key and the operation of a request over HTTP, in host
 * style or in path style. Pure.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Operation } from "../../Fault.ts"
import { isSubResource } from "../signature/v1.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "./errors.ts"

/** A request line and its headers. */
export interface Head {
  readonly method: string
  /** Path and query as they were sent. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** The bucket, the key and the operation of a request. */
export interface Route {
  readonly operation: Operation
  readonly bucket?: string | undefined
  /** Unescaped. */
  readonly key?: string | undefined
  readonly uploadId?: string | undefined
  /** As given; it may be an invalid part number. */
  readonly partNumber?: number | undefined
  /** Unescaped; a parameter without a value has an empty one. */
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  /** The region of the host name, such as `cn-hangzhou`. */
  readonly region?: string | undefined
}

/**
 * Reads a request. Fails only if its path can't be unescaped. A request that
 * the emulator does not implement has operation `other`.
 */
export const route = (head: Head): Result.Result<Route, Refusal> => {
  const [path = "", ...rest] = head.url.split("?")
  const query = parse(rest.join("?"))
  const host = head.headers["host"] ?? ""
  return Result.map(placeOf(host, path), ({ bucket, key }) => {
    const parameters = new Map(query)
    const partNumber = parameters.get("partNumber")
    return {
      operation: operationOf({ ...head, bucket, key, parameters }),
      bucket,
      key,
      uploadId: parameters.get("uploadId"),
      partNumber: partNumber === undefined ? undefined : partNumberOf(partNumber),
      query,
      region: regionOfHost(host)
    }
  })
}

/** `+` is a space, as in forms. Text that can't be unescaped stays as it is. */
const parse = (query: string): ReadonlyArray<readonly [string, string]> => [
  ...new URLSearchParams(query)
]

const partNumberOf = (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : Number.NaN)

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

const nameOfHost = (host: string) => host.replace(/:\d+$/, "").toLowerCase()

/**
 * The bucket of a host-style request: the first label of `BUCKET.localhost` or
 * `BUCKET.REGION.aliyuncs.com`. ali-oss without a bucket sends `null` there.
 */
const bucketOfHost = (host: string): string | undefined => {
  const [, label] =
    /^([^.]+)\.(?:localhost|[^.]+(?:\.[^.]+)*\.aliyuncs\.com)$/.exec(nameOfHost(host)) ?? []
  return label === "null" || label === "undefined" ? undefined : label
}

const regionOfHost = (host: string): string | undefined =>
  /(?:^|\.)oss-([a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com$/.exec(nameOfHost(host))?.[1]

interface Question extends Place, Head {
  readonly parameters: ReadonlyMap<string, string>
}

const operationOf = (question: Question): Operation => {
  const { bucket, key, method, parameters, headers } = question
  if (method === "OPTIONS" && headers["origin"] !== undefined) return "preflight"
  if (asksForMore(parameters)) return "other"
  if (bucket === undefined) return method === "GET" ? "listBuckets" : "other"
  const selector = selectors.find((name) => parameters.has(name))
  const asked = selector === undefined ? method : `${method}?${selector}`
  if (key === undefined) return bucketOperations[asked] ?? "other"
  const operation = objectOperations[asked] ?? "other"
  if (headers["x-oss-copy-source"] === undefined) return operation
  return copies[operation] ?? operation
}

/** Parameters that select a property of a bucket or an object, the narrowest first. */
const selectors = [
  "uploads",
  "uploadId",
  "partNumber",
  "append",
  "acl",
  "tagging",
  "symlink",
  "objectMeta",
  "delete",
  "cors",
  "bucketInfo",
  "location",
  "requestPayment",
  "stat",
  "versioning",
  "versions"
]

/** Parameters of lists that may be empty. */
const plain =
  /^(delimiter|encoding-type|fetch-owner|list-type|marker|max-.*|prefix|start-after|tag-.*|.*-marker|Signature|Expires|OSSAccessKeyId)$/

/** Parameters that are signed but don't change the operation. */
const understood: ReadonlySet<string> = new Set([
  ...selectors,
  "callback",
  "callback-var",
  "continuation-token",
  "position",
  "security-token",
  "sequential",
  "versionId"
])

const asksForMore = (parameters: ReadonlyMap<string, string>) =>
  [...parameters].some(
    ([name, value]) =>
      // Newer OSS features have parameters without a value that version 1 does not sign.
      (isSubResource(name) || (value === "" && !plain.test(name))) &&
      !understood.has(name) &&
      !name.startsWith("response-") &&
      !/^x-oss-(signature|credential|date|expires|additional|security|traffic|request-payer)/.test(
        name
      )
  )

const bucketOperations: Readonly<Record<string, Operation>> = {
  GET: "listObjects",
  "GET?uploads": "listUploads",
  "GET?acl": "getBucketAcl",
  "GET?cors": "getBucketCors",
  "GET?bucketInfo": "getBucketInfo",
  "GET?location": "getBucketLocation",
  "GET?requestPayment": "getBucketRequestPayment",
  "GET?stat": "getBucketStat",
  "GET?tagging": "getBucketTags",
  "GET?versioning": "getBucketVersioning",
  "GET?versions": "listObjectVersions",
  HEAD: "headBucket",
  PUT: "putBucket",
  "PUT?acl": "putBucketAcl",
  "PUT?cors": "putBucketCors",
  "PUT?requestPayment": "putBucketRequestPayment",
  "PUT?tagging": "putBucketTags",
  "PUT?versioning": "putBucketVersioning",
  DELETE: "deleteBucket",
  "DELETE?cors": "deleteBucketCors",
  "DELETE?tagging": "deleteBucketTags",
  POST: "postObject",
  "POST?delete": "deleteObjects"
}

const objectOperations: Readonly<Record<string, Operation>> = {
  GET: "get",
  "GET?uploadId": "listParts",
  "GET?acl": "getObjectAcl",
  "GET?tagging": "getObjectTagging",
  "GET?symlink": "getSymlink",
  HEAD: "head",
  "HEAD?objectMeta": "head",
  PUT: "put",
  "PUT?uploadId": "uploadPart",
  "PUT?partNumber": "uploadPart",
  "PUT?acl": "putObjectAcl",
  "PUT?tagging": "putObjectTagging",
  "PUT?symlink": "putSymlink",
  "POST?uploads": "initiate",
  "POST?uploadId": "complete",
  "POST?append": "append",
  DELETE: "delete",
  "DELETE?uploadId": "abort",
  "DELETE?tagging": "deleteObjectTagging"
}

/** The operations that take their bytes from another object. */
const copies: Partial<Record<Operation, Operation>> = {
  put: "copy",
  uploadPart: "uploadPartCopy"
}
