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
import type { Refusal } from "../wire/errors.ts"

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

/** What is stored under a key. */
export interface StoredObject {
  readonly key: string
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

export interface BucketState {
  readonly name: string
  /** In milliseconds since 1970. */
  readonly created: number
  readonly acl: string
  readonly storageClass: string
  readonly cors: ReadonlyArray<CorsRule>
  readonly objects: HashMap.HashMap<string, StoredObject>
  /** By upload id. */
  readonly uploads: HashMap.HashMap<string, OpenUpload>
}

/** Buckets by name. */
export type State = HashMap.HashMap<string, BucketState>

/** A server without buckets. */
export const empty: State = HashMap.empty()

const Headers = Schema.Record(Schema.String, Schema.String)
const upload = { bucket: Schema.String, key: Schema.String, uploadId: Schema.String }
const stored = {
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
    cors: Schema.optionalKey(Schema.Array(CorsRule))
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
    bucket: Schema.String,
    key: Schema.String,
    headers: Schema.Record(Schema.String, Schema.NullOr(Schema.String))
  },
  Delete: { bucket: Schema.String, key: Schema.String }
})

export type Command = typeof Command.Type

/** What a command did. */
export interface Change {
  readonly state: State
  /** Blobs that the command made superfluous. */
  readonly freed: ReadonlyArray<Blob>
  /** The object that the command stored. */
  readonly object?: StoredObject
}

export type Outcome = Result.Result<Change, Refusal>

/** The command with this tag. */
export type Of<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>

/** An MD5 as OSS writes an ETag. */
export const quote = (md5: string): string => `"${md5}"`
