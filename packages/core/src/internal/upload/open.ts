/**
 * The first steps of an upload, which make its session.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Checkpoint from "../../Checkpoint.ts"
import { CheckpointStore } from "../../CheckpointStore.ts"
import type { ObjectOptions } from "../../ObjectOptions.ts"
import { OssClient } from "../../OssClient.ts"
import * as Part from "../../Part.ts"
import type * as Source from "../../Source.ts"
import type { UploadEvent } from "../../UploadEvent.ts"
import type { UploadRequest } from "../../UploadRequest.ts"
import { choose } from "../slots/choose.ts"
import type * as Slots from "../slots/slots.ts"
import * as OwnErrors from "../source/ownErrors.ts"
import * as Defaults from "./defaults.ts"
import * as Progress from "./progress.ts"
import * as Retry from "./retry.ts"
import type { Session } from "./session.ts"
import { validate } from "./validate.ts"
import * as Parts from "../parts.ts"

/** Checks the request, opens the source and takes the checkpoint. */
export const open = Effect.fnUntraced(function* <E, R>(
  request: UploadRequest<E, R>,
  ownErrors: OwnErrors.OwnErrors<E>,
  report: (event: UploadEvent) => Effect.Effect<void>,
  share: Slots.Share | undefined
) {
  const { from, partSize } = yield* Effect.fromResult(validate(request))
  const { key, onSourceChanged = "restart" } = request
  const { bucket } = yield* OssClient
  const opened = yield* Effect.mapError(request.source.open, ownErrors.hide)
  const source = OwnErrors.within(opened, ownErrors)
  const { size } = source
  if (size !== null) yield* Effect.fromResult(Parts.validateSize(size))
  const store = yield* CheckpointStore
  const log = yield* openCheckpoint(request, partSize, source)
  yield* report({ _tag: "Started", bucket, key, source: request.source.name, size })
  const counter = Progress.make(size)
  const defaults = yield* Defaults.Current
  const chosen = yield* choose({
    concurrency: request.concurrency ?? defaults.concurrency,
    share: share ?? defaults.slots,
    isCheap: source._tag === "RandomAccess" && source.block === undefined,
    isSingle: Option.isNone(log),
    counter
  })
  const slots = yield* withMemory(chosen, source)
  const tell = Retry.reporter(report)
  const requests = yield* Defaults.requestsFor(request, (retry) => {
    if (retry.error.reason._tag === "Throttled") slots.throttled()
    return tell(retry)
  })
  const session: Session = {
    ...requests,
    options: objectOptions(request),
    counter,
    source,
    sourceName: request.source.name,
    partSize,
    onSourceChanged,
    discover: request.discover ?? false,
    from,
    store,
    log,
    slots,
    recorded: [],
    report
  }
  return session
})

/** Takes the lease. None if one request is enough and no earlier run recorded anything. */
const openCheckpoint = Effect.fnUntraced(function* (
  request: UploadRequest<unknown, unknown>,
  partSize: Option.Option<number>,
  source: Source.Opened
) {
  const { endpoint, bucket } = yield* OssClient
  const store = yield* CheckpointStore
  const name = Checkpoint.keyOf({ endpoint, bucket, key: request.key, sourceId: source.id })
  const isUnrecorded = isSingleRequest(request, partSize, source) && !(yield* store.has(name))
  if (isUnrecorded) return Option.none()
  return Option.some(
    yield* store.open(name, {
      onUnreadable: request.onDamagedCheckpoint === "restart" ? "discard" : "fail"
    })
  )
})

/** Whether one request is enough, so nothing needs to be recorded. */
const isSingleRequest = (
  { discover, from }: Pick<UploadRequest, "discover" | "from">,
  partSize: Option.Option<number>,
  source: Source.Opened
): boolean =>
  source._tag === "RandomAccess" &&
  source.size < Option.getOrElse(partSize, () => Part.partSizeFor(source.size)) &&
  discover !== true &&
  from === undefined

/**
 * Reserves memory for each part that reads whole blocks. A part gets its memory
 * before its slot, so a part that has a slot waits only for the network.
 */
const withMemory = Effect.fnUntraced(function* (
  slots: Slots.Slots,
  source: Source.Opened
): Effect.fn.Return<Slots.Slots, never, Scope.Scope> {
  const { memory } = yield* Defaults.Current
  const block = source._tag === "RandomAccess" ? source.block : undefined
  if (memory === undefined || block === undefined) return slots
  const { using } = yield* memory.open
  return { ...slots, withSlot: (part) => using(block)(slots.withSlot(part)) }
})

/** The part size of an upload that begins now, in bytes. */
export const partSizeFor = ({ source, partSize }: Session): number =>
  Option.getOrElse(partSize, () => {
    const { size } = source
    return size === null ? Parts.defaultPartSize : Part.partSizeFor(size)
  })

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
