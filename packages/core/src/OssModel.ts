/**
 * The responses of OSS to the requests of an `OssClient`.
 *
 * @since 0.1.0
 */
import type * as Option from "effect/Option"

/**
 * The response of OSS to a part.
 *
 * @category models
 * @since 0.1.0
 */
export interface PartReceipt {
  /** Quotes included. */
  readonly etag: string
  /** The CRC64 of the bytes that OSS received. None on endpoints that don't compute it. */
  readonly crc64: Option.Option<bigint>
}

/**
 * The response of OSS to a new object.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectReceipt {
  /** Quotes included. The ETag of an object made of parts is not a check sum. */
  readonly etag: string
  /** The CRC64 of the whole object. None on endpoints that don't compute it. */
  readonly crc64: Option.Option<bigint>
  /** Only in buckets with versioning. */
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
  /** The `after` of the next page; none if this is the last page. */
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
  /** The `after` of the next page; none if this is the last page. */
  readonly next: Option.Option<UploadPosition>
  /** The server's time when it answered, in milliseconds since 1970, from the `Date` header. */
  readonly serverTime: number
}

/**
 * An object in a list.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListedObject {
  readonly key: string
  /** In bytes. */
  readonly size: number
  /** Quotes included. */
  readonly etag: string
  /** By OSS's clock, in milliseconds since 1970. */
  readonly lastModified: number
  /** Such as `Standard` or `IA`. */
  readonly storageClass?: string | undefined
  /** How it was made: `Normal`, `Multipart`, `Appendable` or `Symlink`. */
  readonly type?: string | undefined
}

/**
 * A page of objects.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectPage {
  /** Ascending by key. */
  readonly objects: ReadonlyArray<ListedObject>
  /** Each group's common prefix, up to the delimiter, which it includes. Ascending. */
  readonly prefixes: ReadonlyArray<string>
  /** The `after` of the next page; none if this is the last page. */
  readonly next: Option.Option<string>
}

/**
 * The facts about a stored object.
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
  /** In milliseconds since 1970, by OSS's clock. */
  readonly lastModified?: number | undefined
  /** Such as `Standard` or `IA`. */
  readonly storageClass?: string | undefined
  /** How it was made: `Normal`, `Multipart`, `Appendable` or `Symlink`. */
  readonly type?: string | undefined
  /** The `Content-Type` of the object. */
  readonly contentType?: string | undefined
}
