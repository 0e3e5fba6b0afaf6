/**
 * OSS, one method a request. A client is bound to one bucket. It signs, sends,
 * reads the answer and classifies what went wrong; it never retries, plans or
 * resumes, so that one call is one request on the wire. Everything is
 * interruptible: once interruption returns, the request is off the wire and its
 * body is no longer read.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Body } from "./Body.ts"
import type { OssError } from "./OssError.ts"

/**
 * The requests to one bucket.
 *
 * @category services
 * @since 0.1.0
 */
export class OssClient extends Context.Service<
  OssClient,
  {
    /** Where the bucket is, for instance `https://oss-cn-hangzhou.aliyuncs.com`. */
    readonly endpoint: string
    readonly bucket: string

    /** Begins an upload. An existing object stays as it is until `complete`. */
    readonly initiate: (
      key: string,
      options?: ObjectOptions
    ) => Effect.Effect<{ readonly uploadId: string }, OssError>

    /** Sends one part; the same number again replaces it. Fails with the body's error if that can't be read. */
    readonly uploadPart: <E>(part: {
      readonly key: string
      readonly uploadId: string
      readonly number: number
      readonly body: Body<E>
    }) => Effect.Effect<PartReceipt, OssError | E>

    /** One page of the parts that OSS has, ascending; `after` is the last part number of the page before. */
    readonly listParts: (request: {
      readonly key: string
      readonly uploadId: string
      readonly after?: number | undefined
    }) => Effect.Effect<PartPage, OssError>

    /** Makes the parts an object; then the upload id is gone. */
    readonly complete: (request: {
      readonly key: string
      readonly uploadId: string
      /** Ascending by number. */
      readonly parts: ReadonlyArray<{ readonly number: number; readonly etag: string }>
      readonly options?: ObjectOptions | undefined
    }) => Effect.Effect<ObjectReceipt, OssError>

    /** Gives up an upload and its parts. Parts that are still being sent are not deleted: stop them first. */
    readonly abort: (request: {
      readonly key: string
      readonly uploadId: string
    }) => Effect.Effect<void, OssError>

    /** One page of the uploads that are under way, ascending by key and upload id. */
    readonly listUploads: (request: {
      readonly prefix?: string | undefined
      /** `next` of the page before. */
      readonly after?: UploadPosition | undefined
    }) => Effect.Effect<UploadPage, OssError>

    /** What is stored under a key. */
    readonly head: (key: string) => Effect.Effect<ObjectHead, OssError>

    /** Stores an object with one request. Fails with the body's error if that can't be read. */
    readonly put: <E>(request: {
      readonly key: string
      readonly body: Body<E>
      readonly options?: ObjectOptions | undefined
    }) => Effect.Effect<ObjectReceipt, OssError | E>
  }
>()("@effect-oss/core/OssClient") {}

/**
 * What OSS answered to a part.
 *
 * @category models
 * @since 0.1.0
 */
export interface PartReceipt {
  /** Quotes included. */
  readonly etag: string
  /** Of the bytes that OSS received; absent on endpoints that don't compute it. */
  readonly crc64: Option.Option<bigint>
}

/**
 * What OSS answered to a new object.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectReceipt {
  /** Quotes included. The ETag of an object made of parts is not a check sum. */
  readonly etag: string
  /** Of the whole object; absent on endpoints that don't compute it. */
  readonly crc64: Option.Option<bigint>
  /** In buckets with versioning. */
  readonly versionId: Option.Option<string>
  readonly requestId: Option.Option<string>
}

/**
 * A part that OSS has.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListedPart {
  readonly number: number
  /** In bytes. */
  readonly size: number
  /** Quotes included. */
  readonly etag: string
  readonly crc64: Option.Option<bigint>
}

/**
 * A page of parts.
 *
 * @category models
 * @since 0.1.0
 */
export interface PartPage {
  readonly parts: ReadonlyArray<ListedPart>
  /** What `after` of the next page is; none if this is the last. */
  readonly next: Option.Option<number>
}

/**
 * An upload that is under way.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListedUpload {
  readonly key: string
  readonly uploadId: string
  /** By the server's clock, in milliseconds since 1970. */
  readonly initiated: number
}

/**
 * A place in the list of uploads.
 *
 * @category models
 * @since 0.1.0
 */
export interface UploadPosition {
  readonly key: string
  readonly uploadId: string
}

/**
 * A page of uploads.
 *
 * @category models
 * @since 0.1.0
 */
export interface UploadPage {
  readonly uploads: ReadonlyArray<ListedUpload>
  /** What `after` of the next page is; none if this is the last. */
  readonly next: Option.Option<UploadPosition>
  /** The server's time when it answered, in milliseconds since 1970, from the `Date` header. */
  readonly serverTime: number
}

/**
 * What is stored under a key.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectHead {
  /** In bytes. */
  readonly size: number
  /** Quotes included. */
  readonly etag: string
  readonly crc64: Option.Option<bigint>
}

/**
 * How an object is to be stored. Each goes only on the requests where OSS reads
 * it: most on Initiate and Put, ACL and callback on Complete and Put,
 * `forbidOverwrite` on all three.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectOptions {
  /** The `Content-Type`; without it OSS stores `application/octet-stream`. */
  readonly mime?: string | undefined
  /** Further standard headers: `Cache-Control`, `Content-Disposition`, `Content-Encoding`, `Expires`, or `x-oss-*`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** User metadata: each becomes `x-oss-meta-<name>`. */
  readonly meta?: Readonly<Record<string, string>> | undefined
  readonly storageClass?:
    | "Standard"
    | "IA"
    | "Archive"
    | "ColdArchive"
    | "DeepColdArchive"
    | undefined
  readonly acl?: "default" | "private" | "public-read" | "public-read-write" | undefined
  readonly tagging?: Readonly<Record<string, string>> | undefined
  readonly serverSideEncryption?:
    | { readonly algorithm: "AES256" | "KMS" | "SM4"; readonly keyId?: string | undefined }
    | undefined
  /** True: fail with reason `AlreadyExists` rather than replace an object. Default: replace. */
  readonly forbidOverwrite?: boolean | undefined
  /** What OSS posts to a server of yours once the object is stored. */
  readonly callback?: Callback | undefined
}

/**
 * A request that OSS makes once the object is stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface Callback {
  readonly url: string
  readonly body: string
  readonly host?: string | undefined
  readonly contentType?: "application/x-www-form-urlencoded" | "application/json" | undefined
  /** Each becomes a variable `x:<name>` for `body`. */
  readonly variables?: Readonly<Record<string, string>> | undefined
}
