/**
 * Opening an upload: the request is checked, the source opened, the checkpoint
 * taken.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Checkpoint from "../../Checkpoint.ts"
import type { CheckpointLog } from "../../CheckpointStore.ts"
import { CheckpointStore } from "../../CheckpointStore.ts"
import type { ObjectOptions } from "../../ObjectOptions.ts"
import { OssClient } from "../../OssClient.ts"
import * as Part from "../../Part.ts"
import type * as Source from "../../Source.ts"
import { UploadEvent } from "../../UploadEvent.ts"
import type { UploadRequest } from "../../UploadRequest.ts"
import * as AdaptiveSlots from "../slots/adaptive.ts"
import * as Attempts from "./retry.ts"
import * as Defaults from "./defaults.ts"
import * as OwnErrors from "../source/ownErrors.ts"
import * as Meter from "./progress.ts"
import type { UploadSession } from "./resume.ts"
import * as Slots from "../slots/slots.ts"
import { validate } from "./validate.ts"

/** Checks the request, opens the source and takes the checkpoint. */
export const open = Effect.fnUntraced(function* <E, R>(
  request: UploadRequest<E, R>,
  ownErrors: OwnErrors.OwnErrors<E>,
  report: (event: UploadEvent) => Effect.Effect<void>,
  slots: Slots.Share | undefined
) {
  const from = yield* Effect.fromResult(validate(request))
  const { key, onSourceChanged = "restart", onDamagedCheckpoint = "fail" } = request
  const client = yield* OssClient
  const store = yield* CheckpointStore
  const opened = yield* Effect.mapError(request.source.open, ownErrors.hide)
  const source = OwnErrors.within(opened, ownErrors)
  const { size } = source
  if (size !== null) yield* Effect.fromResult(Part.validateSize(size))
  const { endpoint, bucket } = client
  const checkpointKey = Checkpoint.keyOf({ endpoint, bucket, key, sourceId: source.id })
  const isAbsent = goesAtOnce(request, source)
    ? Effect.map(store.has(checkpointKey), (has) => !has)
    : Effect.succeed(false)
  const log = (yield* isAbsent)
    ? nothing
    : yield* store.open(checkpointKey, {
        onUnreadable: onDamagedCheckpoint === "restart" ? "discard" : "fail"
      })
  const { name } = request.source
  yield* report(UploadEvent.cases.Started.make({ bucket, key, source: name, size }))
  const meter = Meter.make(size)
  const defaults = yield* Defaults.Current
  const concurrency = request.concurrency ?? defaults.concurrency
  const partSlots = yield* slotsFor(concurrency, slots ?? defaults.slots, source, meter)
  const tell = Attempts.reporter(report)
  const requests = yield* Defaults.requestsFor(request, store, (retry) => {
    if (retry.error.reason._tag === "Throttled") partSlots.throttled()
    return tell(retry)
  })
  const session: UploadSession = {
    ...requests,
    log,
    source,
    sourceName: name,
    report,
    onSourceChanged,
    discover: request.discover ?? false,
    from,
    options: objectOptions(request),
    partSize: Option.fromUndefinedOr(request.partSize),
    slots: partSlots,
    meter,
    recorded: new Map()
  }
  return session
})

/** With one request, so that nothing is ever recorded. */
const goesAtOnce = (
  { partSize, discover, from }: Pick<UploadRequest, "partSize" | "discover" | "from">,
  source: Source.Opened
): boolean =>
  source._tag === "RandomAccess" &&
  source.size < (partSize ?? Part.partSizeFor(source.size)) &&
  discover !== true &&
  from === undefined

/** The log of what records nothing. */
const nothing: CheckpointLog = {
  recovered: Option.none(),
  finished: Option.none(),
  begin: () => Effect.die(new Error("begin without a checkpoint")),
  append: () => Effect.die(new Error("append without a checkpoint")),
  finish: () => Effect.die(new Error("finish without a checkpoint")),
  remove: Effect.void
}

/** What nobody has fixed adapts. What is read in order, or in large blocks, takes the memory of one for each slot: few. */
const slotsFor = (
  concurrency: number | undefined,
  given: ((most: number) => Slots.Slots) | undefined,
  source: Source.Opened,
  meter: Meter.Meter
): Effect.Effect<Slots.Slots, never, Scope.Scope> => {
  if (concurrency !== undefined || !isCheap(source)) {
    return Effect.succeed((given ?? Slots.fixed)(concurrency ?? defaultConcurrency))
  }
  return given === undefined
    ? AdaptiveSlots.make(meter)
    : Effect.succeed(given(Number.POSITIVE_INFINITY))
}

const isCheap = (source: Source.Opened): boolean =>
  source._tag === "RandomAccess" && source.block === undefined

const defaultConcurrency = 5

const objectOptions = (request: ObjectOptions): ObjectOptions => ({
  mime: request.mime,
  headers: request.headers,
  meta: request.meta,
  storageClass: request.storageClass,
  acl: request.acl,
  tagging: request.tagging,
  serverSideEncryption: request.serverSideEncryption,
  forbidOverwrite: request.forbidOverwrite,
  callback: request.callback
})
