/**
 * What an OSS server remembers: buckets, objects, uploads and their parts, and
 * the commands that change them. It knows no HTTP, no clock, no randomness and
 * no bytes: times and ids come with the commands, bytes are blobs that
 * `internal/bytes` keeps.
 *
 * Everything lies in persistent hash maps, so that a command costs the same
 * whatever the number of parts, and a state that was read stays as it was.
 */
import * as HashMap from "effect/HashMap"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Refusal } from "../../EmulatorError.ts"

/** Bytes that are kept elsewhere. */
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

/** The version of what is stored while a bucket keeps no versions. */
export const onlyVersion = "null"

/** What is stored under a key. */
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

/** Stands for an object that was deleted while its bucket kept versions. */
export interface DeleteMarker {
  readonly type: "DeleteMarker"
  readonly key: string
  readonly versionId: string
  /** In milliseconds since 1970. */
  readonly modified: number
}

export type Version = StoredObject | DeleteMarker

/** Absent until a bucket is told to keep versions; it can then only be suspended. */
export const Versioning = Schema.Literals(["Enabled", "Suspended"])

export type Versioning = typeof Versioning.Type

export interface BucketState {
  readonly name: string
  /** In milliseconds since 1970. */
  readonly created: number
  readonly acl: string
  readonly storageClass: string
  readonly cors: ReadonlyArray<CorsRule>
  /** Whether each answer says `Vary: Origin`, whatever its request. */
  readonly responseVary: boolean
  /** As a query string has them. */
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
/** What a bucket that keeps versions calls the new one. */
const versioned = { newVersionId: Schema.optionalKey(Schema.String) }
/** Without a version the current one is meant. */
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
 * All that can change a state. Plain data, so that the journal can write it
 * down and carry it out again.
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
    /** Null: all parts that there are. */
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
  /** What no request does: one part gets lost. */
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

/** What a command did. */
export interface Change {
  readonly state: State
  /** Blobs that the command made superfluous. */
  readonly freed: ReadonlyArray<Blob>
  /** The object that the command stored or described. */
  readonly object?: StoredObject
  /** Of what was stored, described or deleted; absent in a bucket that keeps no versions. */
  readonly versionId?: string
  /** True: a delete marker was made or removed. */
  readonly isMarker?: boolean
}

export type Outcome = Result.Result<Change, Refusal>

/** The command with this tag. */
export type Of<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>

/** An MD5 as OSS writes an ETag. */
export const quote = (md5: string): string => `"${md5}"`
