/**
 * What the processes of a comparison tell each other.
 */
import * as Schema from "effect/Schema"

/** How the sink behaves. */
export interface SinkOptions {
  /** Its own: then it speaks HTTPS. */
  readonly certificate?: { readonly key: string; readonly cert: string }
  /** Before each answer, and once for each connection, in milliseconds. */
  readonly latency?: number
  /** For each request. */
  readonly bytesPerSecond?: number
  /** The share of data requests that are answered 503. */
  readonly throttleRate?: number
  /** The share of data requests whose connection is reset on the way. */
  readonly resetRate?: number
  /** A part that is refused for good. */
  readonly refusedPart?: number
  /** True: an upload can be completed again and again. */
  readonly keepUploads?: boolean
}

/** What the sink has seen. The time is in milliseconds of this machine's monotonic clock. */
export const Stats = Schema.Struct({
  requests: Schema.Finite,
  /** Of data that arrived, also in requests that failed. */
  bytes: Schema.Finite,
  throttled: Schema.Finite,
  resets: Schema.Finite,
  /** 0: not yet. */
  firstByteAt: Schema.Finite
})
export type Stats = typeof Stats.Type

export const noStats: Stats = {
  requests: 0,
  bytes: 0,
  throttled: 0,
  resets: 0,
  firstByteAt: 0
}

/** What a contender is to do. */
export const Task = Schema.Struct({
  endpoint: Schema.String,
  /** The files to upload: one, or all at once. */
  files: Schema.Array(Schema.String),
  /** Of a stream, in bytes, or of small objects, where it isn't files that are uploaded. */
  amount: Schema.optionalKey(Schema.Finite),
  /** In bytes. */
  partSize: Schema.optionalKey(Schema.Finite),
  /** Parts at once; for many files, files at once. */
  parallel: Schema.optionalKey(Schema.Finite),
  /** For all uploads together, in bytes. */
  memory: Schema.optionalKey(Schema.Finite),
  /** For checkpoints. */
  directory: Schema.String,
  /** True: an error is what is expected. */
  fails: Schema.optionalKey(Schema.Boolean)
})
export type Task = typeof Task.Type

/** What a process says of itself at its end. */
export const Report = Schema.Struct({
  /** Of the whole process, from its start. */
  cpuMillis: Schema.Finite,
  peakMiB: Schema.Finite,
  /** The most that was in buffers. */
  heldMiB: Schema.optionalKey(Schema.Finite),
  /** Written for the sake of resuming. */
  checkpointBytes: Schema.optionalKey(Schema.Finite),
  /** Of what is computed, where that is the point. */
  bytesPerSecond: Schema.optionalKey(Schema.Finite)
})
export type Report = typeof Report.Type
