/**
 * The request of an upload, and the errors that an upload can fail with.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Result from "effect/Result"
import type * as Checkpoint from "./Checkpoint.ts"
import type { CheckpointError } from "./CheckpointStore.ts"
import type { ObjectOptions } from "./ObjectOptions.ts"
import type { OssError } from "./OssError.ts"
import type { ObjectHead } from "./OssModel.ts"
import type { Length } from "./Part.ts"
import type * as RetryPolicy from "./RetryPolicy.ts"
import type * as Source from "./Source.ts"
import type { InvalidRequest } from "./UploadError.ts"

/**
 * What you upload, where to, and how. You can also set `concurrency`, `retry`,
 * `retryBudget` and `stallTimeout` once for a whole program: see `UploadDefaults`.
 *
 * @category models
 * @since 0.1.0
 */
export interface UploadRequest<out E = never, out R = never> extends ObjectOptions {
  /** The object's key: 1 to 1,023 bytes in UTF-8, not beginning with `/` or `\`. */
  readonly key: string
  /** Not an option. ali-oss calls the key `name`; here the compiler tells you to use `key`. */
  readonly name?: "call it key"
  /** What you upload: see `Source`. */
  readonly source: Source.Source<E, R>
  /** The size of each part but the last, as a number of bytes or a text such as `"8 MiB"`: 100 KiB to 5 GiB. A source smaller than this is sent in one request. Default: the part size of the checkpoint, or `Part.partSizeFor` if there is none. That is 8 MiB or a little less, and more for very large sources. */
  readonly partSize?: Length | undefined
  /** How many parts are sent at once. Default: 5 for streams and URLs. For files it starts at 5, rises to at most 64 while that is faster, and falls when OSS asks for fewer requests. */
  readonly concurrency?: number | undefined
  /** When a failed request is sent again. Default: `RetryPolicy.standard`. */
  readonly retry?: RetryPolicy.RetryPolicy | undefined
  /** Limits the number of retries. Share one budget among uploads to limit them together. Default: 100 retries for this upload. */
  readonly retryBudget?: RetryPolicy.Budget | undefined
  /** True: send nothing if the stored object has the source's size and CRC64. Headers and metadata are not compared. If the sizes are equal, the upload reads the source to compute its CRC64. A function decides by the stored object instead: it is called if the sizes are equal, and the source is not read. If OSS returns no CRC64, the upload sends the source. Default: false. */
  readonly skipIdentical?: boolean | ((stored: ObjectHead) => boolean) | undefined
  /** How long a transfer may make no progress before the upload stops it and sends it again. The upload adds the time that the bytes in flight need at the current rate. Default: 30 seconds. */
  readonly stallTimeout?: Duration.Input | undefined
  /** What to do if the source has changed since an earlier run: `restart` the upload, or `fail` and keep that run's parts. A source that changes during a run always fails the upload. Default: `restart`. */
  readonly onSourceChanged?: "restart" | "fail" | undefined
  /** What to do if the checkpoint of an earlier run is damaged, or was written by a newer version of this library: `fail` with a message that names it, or `restart` without it. After `restart`, the parts of that run stay at OSS until `discover` finds them or a lifecycle rule removes them. Default: `fail`. */
  readonly onDamagedCheckpoint?: "fail" | "restart" | undefined
  /** True: if there is no checkpoint, look at OSS for an unfinished upload of this key with this source's parts, and resume it. Use it when a checkpoint is lost. Don't use it while another process may be sending that upload. The object gets the headers, metadata, encryption and storage class that the unfinished upload began with, because OSS doesn't return them. Default: false. */
  readonly discover?: boolean | undefined
  /** A checkpoint of ali-oss, read by `Checkpoint.fromAliOss`. The upload resumes it if this library has no checkpoint. If the checkpoint of ali-oss can't be read, the upload fails with `InvalidRequest`, or looks for the upload at OSS if `discover` is true. The object gets the headers and metadata that ali-oss set. Not for streams. */
  readonly from?: Result.Result<Checkpoint.AliOss, InvalidRequest> | undefined
}

/**
 * Every error of an upload, except those of your own source.
 *
 * @category errors
 * @since 0.1.0
 */
export type UploadError = OssError | Source.SourceError | CheckpointError | InvalidRequest

/**
 * The request of `Upload.sink`.
 *
 * @category models
 * @since 0.1.0
 */
export interface SinkRequest extends Omit<
  UploadRequest,
  "source" | "onSourceChanged" | "onDamagedCheckpoint" | "discover" | "from" | "skipIdentical"
> {
  /** What to do with the parts if the stream fails, or if the upload fails or is interrupted: `abort` deletes them, and `keep` leaves them on the server. Default: `abort`. */
  readonly onFailure?: "abort" | "keep" | undefined
}
