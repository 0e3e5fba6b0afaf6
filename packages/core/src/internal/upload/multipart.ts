/**
 * The single steps of an upload, for a caller that coordinates them, such as
 * several processes that share one source. Each step works as in `Upload.upload`:
 * it retries, compares CRC64s, and settles a lost response by asking OSS what it
 * has. The caller decides which steps run, in what order and where, and what it
 * remembers of them.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Task } from "../checkpoint.ts"
import { complete, put } from "./complete.ts"
import * as Defaults from "./defaults.ts"
import * as Initiate from "./initiate.ts"
import { listParts } from "./listing.ts"
import { resultOf } from "./observability.ts"
import * as Progress from "./progress.ts"
import { guarded } from "./randomAccess.ts"
import type { Requests } from "./request.ts"
import { sendPart } from "./sendPart.ts"
import type { Transfer } from "./session.ts"
import * as ObjectKey from "../objectKey.ts"
import type { ObjectOptions } from "../../ObjectOptions.ts"
import type { OssClient } from "../../OssClient.ts"
import type { OssError } from "../../OssError.ts"
import * as Part from "../../Part.ts"
import type * as RetryPolicy from "../../RetryPolicy.ts"
import type { RandomAccess, SourceError } from "../../Source.ts"
import type { InvalidRequest } from "../../UploadError.ts"
import type { UploadResult } from "../../UploadEvent.ts"
import * as Slice from "../source/slice.ts"
import * as Unchanged from "../source/unchanged.ts"
import * as Parts from "../parts.ts"
import * as Decisions from "./decisions.ts"

/**
 * The key of an object, and how the requests about it are made.
 */
export interface Target {
  /** The object's key: 1 to 1,023 bytes in UTF-8, not beginning with `/` or `\`. */
  readonly key: string
  /** When a failed request is sent again. Default: `RetryPolicy.standard`. */
  readonly retry?: RetryPolicy.RetryPolicy | undefined
  /** Limits the number of retries. Default: 100 retries for these steps. */
  readonly retryBudget?: RetryPolicy.Budget | undefined
  /** How long a transfer may make no progress before it is sent again. Default: 30 seconds. */
  readonly stallTimeout?: Duration.Input | undefined
}

/**
 * The source and the object of the steps.
 */
export interface Request extends Target {
  /** Must stay open while steps run. */
  readonly source: RandomAccess
  /** The source's name in messages. */
  readonly sourceName: string
  /** How the object is stored. */
  readonly options?: ObjectOptions | undefined
}

/**
 * A part that OSS has acknowledged, and how many bytes were sent for it.
 */
export interface SentPart {
  readonly part: Part.UploadedPart
  /** How many bytes were given to the network for it; 0 if it was adopted. */
  readonly sent: number
}

/**
 * The steps of one upload.
 */
export interface Multipart {
  /** Stores the whole source with one request. */
  readonly put: Effect.Effect<UploadResult, OssError | SourceError>
  /**
   * Gets an upload id and passes it to `record`, even if it is interrupted right
   * then. If `record` fails, the upload id is aborted. So if `record` accepts only
   * the first id, no second one stays at OSS.
   */
  readonly initiate: <E, R>(
    record: (uploadId: string) => Effect.Effect<void, E, R>
  ) => Effect.Effect<string, OssError | E, R>
  /**
   * What to do for each of these parts, which are in order. A part that OSS
   * already has, with a CRC64, is `Adoptable`.
   */
  readonly tasks: (
    uploadId: string,
    parts: ReadonlyArray<Part.Part>
  ) => Effect.Effect<ReadonlyArray<Task>, OssError>
  /** Makes one part durable: adopts it if OSS's CRC64 is that of the source, or else sends it. */
  readonly part: (uploadId: string, task: Task) => Effect.Effect<SentPart, OssError | SourceError>
  /** Fails if the source has changed since it was opened. */
  readonly unchanged: Effect.Effect<void, SourceError>
  /**
   * Creates the object from all its parts, in order. Fails if the source has
   * changed. Succeeds if the object is already stored.
   */
  readonly complete: (
    uploadId: string,
    parts: ReadonlyArray<Part.UploadedPart>
  ) => Effect.Effect<UploadResult, OssError | SourceError>
}

/**
 * Makes the steps of an upload of an opened source.
 */
export const open = Effect.fnUntraced(function* (
  options: Request
): Effect.fn.Return<Multipart, InvalidRequest, OssClient> {
  const { source, sourceName } = options
  yield* Effect.fromResult(Parts.validateSize(source.size))
  const requests = yield* requestsFor(options)
  const fresh = (): Transfer => ({
    ...requests,
    options: options.options ?? {},
    counter: Progress.make(source.size)
  })
  const unchanged = Unchanged.unchanged(source, sourceName)
  return {
    put: Effect.suspend(() => {
      const transfer = fresh()
      return Effect.map(put(transfer, guarded(source, sourceName)), (stored) =>
        resultOf(transfer, stored)
      )
    }),
    initiate: (record) => Initiate.initiate(requests, options.options ?? {}, record),
    tasks: (uploadId, parts) => tasks(requests, uploadId, parts),
    part: (uploadId, task) => part(fresh(), source, uploadId, task),
    unchanged,
    complete: (uploadId, parts) =>
      Effect.suspend(() => {
        const transfer = fresh()
        return Effect.andThen(
          unchanged,
          Effect.map(complete(transfer, uploadId, parts), (stored) => resultOf(transfer, stored))
        )
      })
  }
})

/**
 * Gives up an upload: its id and its parts. Parts that are still being sent are
 * not deleted: stop them first. Succeeds if OSS no longer knows the upload.
 */
export const abort = Effect.fnUntraced(function* (
  target: Target,
  uploadId: string
): Effect.fn.Return<void, OssError | InvalidRequest, OssClient> {
  yield* Initiate.abort(yield* requestsFor(target), uploadId)
})

const requestsFor = Effect.fnUntraced(function* (
  target: Target
): Effect.fn.Return<Requests, InvalidRequest, OssClient> {
  yield* Effect.fromResult(ObjectKey.validate(target.key))
  return yield* Defaults.requestsFor(target)
})

const tasks = Effect.fnUntraced(function* (
  requests: Requests,
  uploadId: string,
  parts: ReadonlyArray<Part.Part>
): Effect.fn.Return<ReadonlyArray<Task>, OssError> {
  const [first = 1, last = 0] = [parts.at(0)?.number, parts.at(-1)?.number]
  const listed = yield* listParts(requests, uploadId, { after: first - 1, last })
  return Decisions.reconcile({ parts }, [], listed)
})

const part = Effect.fnUntraced(function* (
  transfer: Transfer,
  source: RandomAccess,
  uploadId: string,
  task: Task
): Effect.fn.Return<SentPart, OssError | SourceError> {
  if (task._tag === "Done") return { part: task.part, sent: 0 }
  const { offset, size } = task.part
  const { part } = yield* sendPart(transfer, uploadId, task, Slice.slice(source, offset, size))
  return { part, sent: transfer.counter.onWire }
})
