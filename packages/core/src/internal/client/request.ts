/**
 * The requests of OSS's protocol: which method, path, query, headers and body
 * each operation has. Pure. Other modules sign and send them.
 *
 * @internal
 */
import * as Result from "effect/Result"
import * as ObjectKey from "../objectKey.ts"
import type { ObjectOptions } from "../../ObjectOptions.ts"
import type { UploadPosition } from "../../OssModel.ts"
import type { Operation } from "../../OssError.ts"
import * as ContentTypes from "./contentTypes.ts"
import type { Connection } from "./endpoint.ts"
import { headersFor } from "./objectHeaders.ts"
import * as Xml from "./xml.ts"

/** A request before it is signed. */
export interface Request {
  readonly operation: Operation
  readonly method: string
  /** Undefined if the request is about the bucket. */
  readonly key: string | undefined
  readonly partNumber: number | undefined
  /** Not encoded, in the order of the URL. Null for a name without a value. */
  readonly query: Readonly<Record<string, string | null>>
  /** Names in lower case; values as text, not yet as the bytes that HTTP carries. */
  readonly headers: Readonly<Record<string, string>>
  /** The body, as XML. */
  readonly content: string | undefined
}

/** A request, or why it can't be made. */
export type Made = Result.Result<Request, string>

export const initiate = (
  connection: Connection,
  key: string,
  options: ObjectOptions | undefined
): Made =>
  Result.flatMap(headersFor("initiate", options), (headers) =>
    make(connection, "initiate", "POST", {
      key,
      query: { uploads: null },
      headers: withContentType(key, headers)
    })
  )

export const uploadPart = (
  connection: Connection,
  key: string,
  uploadId: string,
  number: number,
  size: number
): Made =>
  make(connection, "uploadPart", "PUT", {
    key,
    partNumber: number,
    query: { partNumber: String(number), uploadId },
    headers: { "content-length": String(size), ...connection.limitHeaders }
  })

export const listParts = (
  connection: Connection,
  key: string,
  uploadId: string,
  after: number | undefined
): Made =>
  make(connection, "listParts", "GET", {
    key,
    // OSS refuses a marker of 0.
    query: after ? { "part-number-marker": String(after), uploadId } : { uploadId }
  })

export const complete = (
  connection: Connection,
  key: string,
  uploadId: string,
  parts: ReadonlyArray<{ readonly number: number; readonly etag: string }>,
  options: ObjectOptions | undefined
): Made =>
  Result.flatMap(headersFor("complete", options), (headers) => {
    const content = Xml.completion(parts)
    return make(connection, "complete", "POST", {
      key,
      query: { uploadId },
      headers: {
        "content-type": "application/xml",
        "content-length": String(new TextEncoder().encode(content).length),
        ...headers
      },
      content
    })
  })

export const abort = (connection: Connection, key: string, uploadId: string): Made =>
  make(connection, "abort", "DELETE", { key, query: { uploadId } })

export const listUploads = (
  connection: Connection,
  prefix: string | undefined,
  after: UploadPosition | undefined
): Made =>
  make(connection, "listUploads", "GET", {
    query: {
      "max-uploads": "1000",
      // XML can't express all characters of a key.
      "encoding-type": "url",
      // Signatures treat empty parameters in different ways.
      ...(prefix ? { prefix } : {}),
      ...(after?.key ? { "key-marker": after.key } : {}),
      ...(after?.uploadId ? { "upload-id-marker": after.uploadId } : {}),
      uploads: null
    }
  })

export const head = (connection: Connection, key: string): Made =>
  make(connection, "head", "HEAD", { key })

/** ListObjects version 1: the marker of the next page is a key, so its order can be checked. */
export const listObjects = (
  connection: Connection,
  prefix: string | undefined,
  delimiter: string | undefined,
  after: string | undefined
): Made =>
  make(connection, "listObjects", "GET", {
    query: {
      "max-keys": "1000",
      "encoding-type": "url",
      ...(prefix ? { prefix } : {}),
      ...(delimiter ? { delimiter } : {}),
      ...(after ? { marker: after } : {})
    }
  })

export const remove = (connection: Connection, key: string): Made =>
  make(connection, "delete", "DELETE", { key })

export const put = (
  connection: Connection,
  key: string,
  size: number,
  options: ObjectOptions | undefined
): Made =>
  Result.flatMap(headersFor("put", options), (headers) =>
    make(connection, "put", "PUT", {
      key,
      headers: {
        ...withContentType(key, headers),
        "content-length": String(size),
        ...connection.limitHeaders
      }
    })
  )

interface Fields {
  readonly key?: string
  readonly partNumber?: number
  readonly query?: Request["query"]
  readonly headers?: Request["headers"]
  readonly content?: string
}

const make = (
  connection: Connection,
  operation: Operation,
  method: string,
  { key, partNumber, query = {}, headers = {}, content }: Fields
): Made => {
  const problem =
    (key === undefined ? undefined : keyProblem(key)) ??
    Object.values(query).map(broken).find(Boolean)
  return problem === undefined
    ? Result.succeed({
        operation,
        method,
        key,
        partNumber,
        query,
        headers: { ...connection.headers, ...headers },
        content
      })
    : Result.fail(problem)
}

/** An empty key would name the bucket, and a key with `..` another object. */
const keyProblem = (key: string): string | undefined =>
  Result.match(ObjectKey.validate(key), {
    onSuccess: () => undefined,
    onFailure: ({ message }) => message
  })

const broken = (value: string | null): string | undefined =>
  value !== null && /\p{Surrogate}/u.test(value) ? "a parameter has broken text" : undefined

const withContentType = (key: string, headers: Request["headers"]): Request["headers"] => {
  const guess = ContentTypes.of(key)
  return guess === undefined ? headers : { "content-type": guess, ...headers }
}

/** The URL of a request that is signed in its headers. */
export const urlOf = ({ bucketUrl }: Connection, { key = "", query }: Request): string => {
  const parameters = Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value ?? "")}`)
    .join("&")
  return bucketUrl + percentEncoded(key) + (parameters === "" ? "" : `?${parameters}`)
}

const percentEncoded = (key: string) => encodeURIComponent(key).replaceAll("%2F", "/")
