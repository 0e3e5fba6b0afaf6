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
  /** No option: as ali-oss calls the key. The compiler says how to call it here. */
  readonly name?: "call it key"
  readonly source: Source.Source<E, R>
  /** 100 KiB to 5 GiB: a number of bytes, or a text such as `"8 MiB"`. Default: the checkpoint's, else `Part.partSizeFor`: 8 MiB or somewhat less, more for very large sources. A source below it goes up with one request. */
  readonly partSize?: Length | undefined
  /** How many parts are sent at once. Default: 5 for streams and URLs. For files it starts at 5, rises to at most 64 while that is faster, and falls when OSS asks for fewer requests. */
  readonly concurrency?: number | undefined
  /** How a failed request is sent again. Default: `RetryPolicy.standard`. */
  readonly retry?: RetryPolicy.RetryPolicy | undefined
  /** Limits the number of retries. Share one budget among uploads to limit them together. Default: 100 retries for this upload. */
  readonly retryBudget?: RetryPolicy.Budget | undefined
  /** True: sends nothing if the stored object already has the source's size and CRC64. Headers and metadata don't count. The source is read to compare it if the sizes are equal. Give a function to decide by the stored object alone: it is called if the sizes are equal, and the source isn't read. Default: false. */
  readonly skipIdentical?: boolean | ((stored: ObjectHead) => boolean) | undefined
  /** How long a transfer may make no progress before it is stopped and sent again. The time that the bytes in flight need, at the current rate, is added. Default: 30 seconds. */
  readonly stallTimeout?: Duration.Input | undefined
  /** If the source changed since an earlier run: `restart` afresh, or `fail` and keep that run's parts. Default: `restart`. A source that changes during a run always fails. */
  readonly onSourceChanged?: "restart" | "fail" | undefined
  /** If an earlier run's checkpoint was damaged, or written by a newer version of this library: `fail` with a message that names it, or `restart` afresh without it. What OSS has of that run stays there, to be found by `discover` or removed by a lifecycle rule. Default: `fail`. */
  readonly onDamagedCheckpoint?: "fail" | "restart" | undefined
  /** True: if there is no checkpoint, look for an upload of this key on the server whose parts are this source's, and carry on with it. For when a checkpoint was lost; must not be used while another process may be sending that upload. The object gets the headers, metadata, encryption and storage class which that upload was begun with: OSS doesn't tell them. Default: false. */
  readonly discover?: boolean | undefined
  /** If there is no checkpoint, carry on with what ali-oss began: `Checkpoint.fromAliOss`. One that can't be read is an `InvalidRequest`, or with `discover` looked for. The object gets the headers and metadata that ali-oss gave. Not for streams. */
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
  /** What happens to the parts if the stream fails, or if the upload fails or is interrupted: `abort` deletes them, and `keep` leaves them on the server. Default: `abort`. */
  readonly onFailure?: "abort" | "keep" | undefined
}
