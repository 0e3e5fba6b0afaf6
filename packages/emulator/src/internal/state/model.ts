/**
 * The state of an OSS server: buckets, objects, uploads and their parts, and
 * the commands that change them. It has no HTTP, no clock, no randomness and no
 * bytes. Times and ids come with the commands; `internal/bytes` keeps the bytes
 * as blobs.
 *
 * Everything is in persistent hash maps. So a command costs the same whatever
 * the number of parts, and a state that was read never changes.
 */
import * as HashMap from "effect/HashMap"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Refusal } from "../../EmulatorError.ts"

/** A reference to bytes that are stored elsewhere. */
export const Blob = Schema.Struct({
  id: Schema.String,
  /** In bytes. */
  size: Schema.Finite,
  /** 32 upper-case hex digits. */
  md5: Schema.String,
  /** CRC-64/XZ. */
  crc64: Schema.BigInt
})

export type Blob = typeof Blob.Type

/** A rule of a bucket for requests that come from another origin. */
export const CorsRule = Schema.Struct({
  /** Origins such as `https://example.com`; each may hold one `*`. */
  allowedOrigins: Schema.Array(Schema.String),
  allowedMethods: Schema.Array(Schema.String),
  /** Request headers; each may hold one `*`. */
  allowedHeaders: Schema.Array(Schema.String),
  /** Response headers that a script may read. */
  exposeHeaders: Schema.Array(Schema.String),
  maxAgeSeconds: Schema.optionalKey(Schema.Finite)
})

export type CorsRule = typeof CorsRule.Type

export interface StoredPart {
  readonly number: number
  readonly blob: Blob
  /** In milliseconds since 1970. */
  readonly modified: number
}

/** An upload that is neither completed nor aborted. */
export interface OpenUpload {
  readonly key: string
  readonly uploadId: string
  /** Kept for the object. */
  readonly headers: Readonly<Record<string, string>>
  /** True: parts come one after the other, without gaps. */
  readonly sequential: boolean
  /** In milliseconds since 1970. */
  readonly initiated: number
  readonly parts: HashMap.HashMap<number, StoredPart>
}

export type ObjectType = "Normal" | "Multipart" | "Appendable" | "Symlink"

/** The version id of objects in a bucket without versioning. */
export const onlyVersion = "null"

/** An object stored under a key. */
export interface StoredObject {
  readonly key: string
  readonly versionId: string
  /** In order; together they are the object's bytes. */
  readonly blobs: ReadonlyArray<Blob>
  /** In bytes. */
  readonly size: number
  /** Quotes included. */
  readonly etag: string
  /** CRC-64/XZ of the whole. */
  readonly crc64: bigint
  readonly type: ObjectType
  /** As given by Initiate or Put, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** In milliseconds since 1970. */
  readonly modified: number
}

/** Marks an object as deleted in a bucket with versioning. */
export interface DeleteMarker {
  readonly type: "DeleteMarker"
  readonly key: string
  readonly versionId: string
  /** In milliseconds since 1970. */
  readonly modified: number
}

export type Version = StoredObject | DeleteMarker

/** Absent until versioning is enabled; after that it can only be suspended. */
export const Versioning = Schema.Literals(["Enabled", "Suspended"])

export type Versioning = typeof Versioning.Type

export interface BucketState {
  readonly name: string
  /** In milliseconds since 1970. */
  readonly created: number
  readonly acl: string
  readonly storageClass: string
  readonly cors: ReadonlyArray<CorsRule>
  /** True: each answer has `Vary: Origin`, whatever the request. */
  readonly responseVary: boolean
  /** In the format of a query string. */
  readonly tags: string
  readonly payer: string
  readonly versioning: Versioning | undefined
  /** The current version of each key, unless that is a delete marker. */
  readonly objects: HashMap.HashMap<string, StoredObject>
  /** All other versions of a key, newest first; the first may be a current delete marker. */
  readonly history: HashMap.HashMap<string, ReadonlyArray<Version>>
  /** By upload id. */
  readonly uploads: HashMap.HashMap<string, OpenUpload>
}

/** Buckets by name. */
export type State = HashMap.HashMap<string, BucketState>

/** A server without buckets. */
export const empty: State = HashMap.empty()

const Headers = Schema.Record(Schema.String, Schema.String)
const upload = { bucket: Schema.String, key: Schema.String, uploadId: Schema.String }
/** The id of the new version in a bucket with versioning. */
const versioned = { newVersionId: Schema.optionalKey(Schema.String) }
/** Without a version id, the command applies to the current version. */
const chosen = {
  bucket: Schema.String,
  key: Schema.String,
  versionId: Schema.optionalKey(Schema.String)
}
const stored = {
  ...versioned,
  bucket: Schema.String,
  key: Schema.String,
  blob: Blob,
  headers: Headers,
  now: Schema.Finite
}

/**
 * Every change of a state. Commands are plain data, so that the journal can
 * record and repeat them.
 */
export const Command = Schema.TaggedUnion({
  CreateBucket: {
    bucket: Schema.String,
    acl: Schema.optionalKey(Schema.String),
    storageClass: Schema.optionalKey(Schema.String),
    now: Schema.Finite
  },
  DeleteBucket: { bucket: Schema.String },
  ConfigureBucket: {
    bucket: Schema.String,
    acl: Schema.optionalKey(Schema.String),
    cors: Schema.optionalKey(Schema.Array(CorsRule)),
    responseVary: Schema.optionalKey(Schema.Boolean),
    tags: Schema.optionalKey(Schema.String),
    payer: Schema.optionalKey(Schema.String),
    versioning: Schema.optionalKey(Versioning)
  },
  Initiate: {
    ...upload,
    headers: Headers,
    forbidOverwrite: Schema.Boolean,
    sequential: Schema.Boolean,
    now: Schema.Finite
  },
  UploadPart: { ...upload, number: Schema.Finite, blob: Blob, now: Schema.Finite },
  Complete: {
    ...upload,
    /** Null: all existing parts. */
    parts: Schema.NullOr(
      Schema.Array(Schema.Struct({ number: Schema.Finite, etag: Schema.String }))
    ),
    /** Added to those of Initiate. */
    headers: Headers,
    forbidOverwrite: Schema.Boolean,
    ...versioned,
    now: Schema.Finite
  },
  Abort: upload,
  /** Loses one part. No request does this. */
  RemovePart: { ...upload, number: Schema.Finite },
  Put: {
    ...stored,
    forbidOverwrite: Schema.Boolean,
    /** The blob is empty then. */
    symlink: Schema.Boolean
  },
  Append: { ...stored, position: Schema.Finite },
  /** Changes headers of an object: null removes one. */
  Describe: {
    ...chosen,
    headers: Schema.Record(Schema.String, Schema.NullOr(Schema.String))
  },
  Delete: { ...chosen, ...versioned, now: Schema.optionalKey(Schema.Finite) }
})

export type Command = typeof Command.Type

/** The result of a command. */
export interface Change {
  readonly state: State
  /** Blobs that are no longer referenced. */
  readonly freed: ReadonlyArray<Blob>
  /** The object that the command stored or described. */
  readonly object?: StoredObject
  /** The version that was stored, described or deleted; absent in a bucket without versioning. */
  readonly versionId?: string
  /** True: a delete marker was made or removed. */
  readonly isMarker?: boolean
}

export type Outcome = Result.Result<Change, Refusal>

/** The command with this tag. */
export type Of<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>

/** An MD5 as OSS writes an ETag. */
export const quote = (md5: string): string => `"${md5}"`
