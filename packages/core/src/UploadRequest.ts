/**
 * What is uploaded, where to, and how; and what an upload can fail with.
 * `Upload` runs it.
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
 * What is uploaded, where to, and how. `concurrency`, `retry`, `retryBudget` and
 * `stallTimeout` can be given once for a whole program too: `UploadDefaults`.
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
  /** How many parts are on their way at once. Default: 5 or, as long as that is faster, up to 64, and fewer when OSS asks for fewer requests; for streams and URLs 5. */
  readonly concurrency?: number | undefined
  /** How a failed request is sent again. Default: `RetryPolicy.standard`. */
  readonly retry?: RetryPolicy.RetryPolicy | undefined
  /** What retries are paid out of; share one among uploads to limit them together. Default: 100 retries of this upload's own. */
  readonly retryBudget?: RetryPolicy.Budget | undefined
  /** True: if the object that is stored already has the source's size and CRC64, nothing is sent, whatever its headers and metadata. The source is read for it if the sizes agree. A function decides by the stored object alone, for whoever knows the source otherwise: it is asked if the sizes agree, and the source isn't read. Default: false. */
  readonly skipIdentical?: boolean | ((stored: ObjectHead) => boolean) | undefined
  /** How long a transfer may make no progress before it is given up and sent again. The time that the bytes on their way need, at the rate seen so far, is added to it. Default: 30 seconds. */
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
 * All that an upload can fail with, besides what its source fails with.
 *
 * @category errors
 * @since 0.1.0
 */
export type UploadError = OssError | Source.SourceError | CheckpointError | InvalidRequest

/**
 * How bytes of unknown length become an object.
 *
 * @category models
 * @since 0.1.0
 */
export interface SinkRequest extends Omit<
  UploadRequest,
  "source" | "onSourceChanged" | "onDamagedCheckpoint" | "discover" | "from" | "skipIdentical"
> {
  /** What becomes of the parts if the stream fails, the upload fails, or it is interrupted: `abort` deletes them, `keep` leaves them to a later run or a lifecycle rule. Default: `abort`. */
  readonly onFailure?: "abort" | "keep" | undefined
}
