/**
 * The steps of an upload, one by one, for whoever coordinates them himself:
 * several processes that share one source, say. Each step does what it does
 * within `Upload.upload`: retries, compares CRC64s, settles an answer that was
 * lost by looking at what OSS has. Which steps are taken, in what order and by
 * whom, and what is remembered of them, is the caller's business.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Checkpoint from "./Checkpoint.ts"
import type { CheckpointError, CheckpointLog } from "./CheckpointStore.ts"
import { CheckpointStore, make as makeStore } from "./CheckpointStore.ts"
import * as Defaults from "./internal/upload/defaults.ts"
import * as Meter from "./internal/upload/progress.ts"
import { sendPart } from "./internal/upload/sendPart.ts"
import type { Requests, Session } from "./internal/upload/session.ts"
import { request, unchanged } from "./internal/upload/session.ts"
import * as Slots from "./internal/slots/slots.ts"
import * as Store from "./internal/upload/complete.ts"
import * as UploadId from "./internal/upload/uploadId.ts"
import * as ObjectKey from "./ObjectKey.ts"
import type { ListedPart } from "./OssModel.ts"
import type { ObjectOptions } from "./ObjectOptions.ts"
import type { OssClient } from "./OssClient.ts"
import type { OssError } from "./OssError.ts"
import * as Part from "./Part.ts"
import type * as RetryPolicy from "./RetryPolicy.ts"
import type { RandomAccess, SourceError } from "./Source.ts"
import * as Source from "./Source.ts"
import type { InvalidRequest } from "./UploadError.ts"
import type { UploadResult } from "./UploadEvent.ts"

/**
 * How the requests about one key are made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Target {
  /** The object's key: 1 to 1,023 bytes in UTF-8, not beginning with `/` or `\`. */
  readonly key: string
  /** How a failed request is sent again. Default: `RetryPolicy.standard`. */
  readonly retry?: RetryPolicy.RetryPolicy | undefined
  /** What retries are paid out of. Default: `RetryPolicy.sharedBudget` retries of these steps' own. */
  readonly retryBudget?: RetryPolicy.Budget | undefined
  /** A transfer in which nothing moves for so long is given up, and sent again. Default: 30 seconds. */
  readonly stallTimeout?: Duration.Input | undefined
}

/**
 * What the steps are of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request extends Target {
  /** Open for as long as steps are taken. */
  readonly source: RandomAccess
  /** For messages. */
  readonly sourceName: string
  /** How the object is to be stored. */
  readonly options?: ObjectOptions | undefined
}

/**
 * A part that OSS has acknowledged, and what that took.
 *
 * @category models
 * @since 0.1.0
 */
export interface DurablePart {
  readonly part: Part.UploadedPart
  /** Given to the network for it, in bytes; 0 if it was adopted. */
  readonly sent: number
}

/**
 * What is remembered while an upload id is got. `begin` is called before OSS is
 * asked, and once it has answered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Log extends Pick<CheckpointLog, "begin"> {
  /** What an earlier run came to, or one that was suspended meanwhile. */
  readonly recovered: Option.Option<Checkpoint.Header>
  /** Upload ids that others got by now and go on with: never taken for what a lost answer left. */
  readonly others: Effect.Effect<ReadonlyArray<string>>
}

/**
 * The steps of one upload.
 *
 * @category models
 * @since 0.1.0
 */
export interface Multipart {
  /** Stores the whole source with one request. */
  readonly put: Effect.Effect<UploadResult, OssError | SourceError>
  /**
   * Gets an upload id. What the log recovered is carried on with: its upload
   * id, or, where a run ended while it asked for one, what that left on the
   * server is aborted first. If `log.begin` fails, the new upload id is aborted:
   * so a log that lets only the first one in leaves no second one behind.
   */
  readonly begin: (
    log: Log,
    header: Omit<Checkpoint.Header, "phase" | "endpoint" | "bucket" | "key">
  ) => Effect.Effect<string, OssError | CheckpointError>
  /**
   * What is to be done for each of these parts, which are in order: one that
   * OSS has already is to be adopted.
   */
  readonly tasks: (
    uploadId: string,
    parts: ReadonlyArray<Part.Part>
  ) => Effect.Effect<ReadonlyArray<Checkpoint.Task>, OssError>
  /** Makes one part durable: adopts it if its CRC64 is that of the source, or else sends it. */
  readonly part: (
    uploadId: string,
    task: Checkpoint.Task
  ) => Effect.Effect<DurablePart, OssError | SourceError>
  /** Fails if the source is no longer what it was when it was opened. */
  readonly unchanged: Effect.Effect<void, SourceError>
  /** Makes the object of its parts, all of them, in order; the source has to be unchanged. That it is there already is success. */
  readonly complete: (
    uploadId: string,
    parts: ReadonlyArray<Part.UploadedPart>
  ) => Effect.Effect<UploadResult, OssError | SourceError>
}

/**
 * The steps of an upload of an opened source.
 *
 * **Example** (one process plans, others send)
 *
 * ```ts
 * import { MultipartUpload, Part, Source } from "@effect-oss/core"
 * import { Effect } from "effect"
 *
 * const sendRange = Effect.fnUntraced(function* (
 *   path: string,
 *   uploadId: string,
 *   parts: ReadonlyArray<Part.Part>
 * ) {
 *   const source = yield* Source.file(path).open
 *   const steps = yield* MultipartUpload.open({ key: "backups/db.tar", source, sourceName: path })
 *   const tasks = yield* steps.tasks(uploadId, parts)
 *   return yield* Effect.forEach(tasks, (task) => steps.part(uploadId, task), { concurrency: 5 })
 * }, Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function* (
  options: Request
): Effect.fn.Return<Multipart, InvalidRequest, OssClient> {
  const { source, sourceName } = options
  yield* Effect.fromResult(Part.validateSize(source.size))
  const requests = yield* requestsFor(options)
  const fresh = (): Session<RandomAccess> => ({
    ...requests,
    log: noLog,
    options: options.options ?? {},
    sourceName,
    source,
    slots: Slots.fixed(1),
    report: () => Effect.void,
    meter: Meter.make(source.size),
    recorded: new Map()
  })
  return {
    put: Effect.suspend(() => {
      const session = fresh()
      return Effect.map(Store.put(session), (stored) => Store.resultOf(session, stored))
    }),
    begin: (log, header) => begin(fresh(), log, header),
    tasks: (uploadId, parts) =>
      Effect.map(listed(requests, uploadId, parts), (listed) =>
        Checkpoint.reconcile({ parts }, [], listed)
      ),
    part: (uploadId, task) => part(fresh(), uploadId, task),
    unchanged: unchanged(fresh()),
    complete: (uploadId, parts) => complete(fresh(), uploadId, parts)
  }
})

/**
 * Gives up an upload: its id and its parts. Parts that are still being sent are
 * not deleted: stop them first. That OSS no longer knows it is success.
 *
 * @category running
 * @since 0.1.0
 */
export const abort = Effect.fnUntraced(function* (
  target: Target,
  uploadId: string
): Effect.fn.Return<void, OssError | InvalidRequest, OssClient> {
  yield* UploadId.abort(yield* requestsFor(target), uploadId)
})

const requestsFor = Effect.fnUntraced(function* (
  target: Target
): Effect.fn.Return<Requests, InvalidRequest, OssClient> {
  yield* Effect.fromResult(ObjectKey.validate(target.key))
  return yield* Defaults.requestsFor(target, noStore)
})

/** What is remembered is the caller's business. */
const noLog: CheckpointLog = {
  recovered: Option.none(),
  finished: Option.none(),
  begin: () => Effect.void,
  append: () => Effect.void,
  finish: () => Effect.void,
  remove: Effect.void
}
const noStore = makeStore({
  open: () => Effect.succeed(noLog),
  list: Stream.empty
})

const begin = Effect.fnUntraced(function* (
  nothing: Session<RandomAccess>,
  { recovered, begin, others }: Log,
  given: Parameters<Multipart["begin"]>[1]
) {
  const { endpoint, bucket } = nothing.client
  const header = { ...given, endpoint, bucket, key: nothing.key }
  const session = { ...nothing, log: { ...noLog, begin }, store: storeOf(others, header) }
  if (Option.isSome(recovered)) {
    const { phase } = recovered.value
    if (phase._tag === "Uploading") return phase.uploadId
    yield* UploadId.giveUp(session, recovered.value)
  }
  return yield* UploadId.obtain(session, header)
})

/** Uploads that are not to be touched, as the checkpoints of a store. */
const storeOf = (others: Log["others"], header: Omit<Checkpoint.Header, "phase">) =>
  CheckpointStore.of({
    ...noStore,
    listObject: () =>
      Stream.fromIterableEffect(others).pipe(
        Stream.map((uploadId) => {
          const phase = Checkpoint.Phase.cases.Uploading.make({ uploadId })
          return Checkpoint.summarize(uploadId, { header: { ...header, phase }, parts: [] })
        })
      )
  })

/** What OSS has of these parts, which are in order; none where RAM forbids to list it. */
const listed = Effect.fnUntraced(
  function* (
    requests: Requests,
    uploadId: string,
    parts: ReadonlyArray<Part.Part>
  ): Effect.fn.Return<Option.Option<ReadonlyArray<ListedPart>>, OssError> {
    const { client, key } = requests
    const [first = 1, last = 0] = [parts.at(0)?.number, parts.at(-1)?.number]
    const found: Array<ListedPart> = []
    for (let after: number | undefined = first - 1; after !== undefined && after < last;) {
      const position = after > 0 ? { after } : {}
      const page: Effect.Success<ReturnType<typeof client.listParts>> = yield* request(
        requests,
        "listParts",
        client.listParts({ key, uploadId, ...position })
      )
      found.push(...page.parts)
      after = Option.getOrUndefined(page.next)
    }
    return Option.some(found)
  },
  Effect.catchReason("OssError", "AccessDenied", () => Effect.succeedNone)
)

const part = Effect.fnUntraced(function* (
  session: Session<RandomAccess>,
  uploadId: string,
  task: Checkpoint.Task
): Effect.fn.Return<DurablePart, OssError | SourceError> {
  if (task._tag === "Done") return { part: task.part, sent: 0 }
  const { number, offset, size } = task.part
  yield* Effect.catchTag(
    sendPart(session, uploadId, task, Source.slice(session.source, offset, size)),
    "CheckpointError",
    Effect.die
  )
  const part = Option.getOrThrow(Option.fromUndefinedOr(session.recorded.get(number)))
  return { part, sent: session.meter.onWire }
})

const complete = Effect.fnUntraced(function* (
  session: Session<RandomAccess>,
  uploadId: string,
  parts: ReadonlyArray<Part.UploadedPart>
) {
  for (const part of parts) session.recorded.set(part.number, part)
  const crc64 = Option.getOrThrow(Checkpoint.wholeCrc64({ parts }, parts))
  yield* unchanged(session)
  const whole = { size: Checkpoint.bytesOf(parts), crc64 }
  return Store.resultOf(session, yield* Store.complete(session, uploadId, whole))
})
