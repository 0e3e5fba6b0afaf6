/**
 * One upload under way: what was asked for, what it holds, and what it tells.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Checkpoint from "../../Checkpoint.ts"
import type { CheckpointError, CheckpointLog, CheckpointStore } from "../../CheckpointStore.ts"
import type { ObjectOptions } from "../../ObjectOptions.ts"
import type { UploadedPart } from "../../Part.ts"
import type { OssError } from "../../OssError.ts"
import type { Opened, SourceError } from "../../Source.ts"
import type { InvalidRequest } from "../../UploadError.ts"
import { UploadEvent } from "../../UploadEvent.ts"
import type { Lend, Slots } from "../slots/slots.ts"
import * as Metrics from "./metrics.ts"
import * as Progress from "./progress.ts"
import type { Requests } from "./request.ts"
import type { Stored } from "./settle.ts"
import * as Parts from "../parts.ts"
import type { RestartReason } from "../checkpoint.ts"
import { digestOptions } from "../checkpoint.ts"

/** What an upload can fail with. */
export type Failure = OssError | SourceError | CheckpointError | InvalidRequest

/** What objects and parts are sent with. */
export interface Transfer extends Requests {
  readonly options: ObjectOptions
  readonly counter: Progress.Counter
}

/** One upload under way. */
export interface Session<out S = Opened> extends Transfer {
  readonly source: S
  readonly sourceName: string
  /** As asked for, in bytes. */
  readonly partSize: Option.Option<number>
  readonly onSourceChanged: "restart" | "fail"
  readonly discover: boolean
  readonly from: Option.Option<Checkpoint.AliOss>
  readonly store: CheckpointStore["Service"]
  /** None where one request is enough, and an earlier run recorded nothing. */
  readonly log: Option.Option<CheckpointLog>
  readonly slots: Slots
  /** What this run has recorded. */
  readonly recorded: Array<UploadedPart>
  readonly report: (event: UploadEvent) => Effect.Effect<void>
}

/**
 * How the object is stored: as asked for, and of the type that the source knows.
 * That one is no part of what a later run has to ask for again: a browser may
 * come to know another.
 */
export const objectOptions = ({ options, source }: Session): ObjectOptions =>
  source.contentType === undefined
    ? options
    : { ...options, headers: { "content-type": source.contentType, ...options.headers } }

/** The same, giving away what it holds while a request waits to be sent again. */
export const lent = <S extends Transfer>(session: S, lend: Lend): S => ({
  ...session,
  retrying: (request) => session.retrying(request, lend)
})

/** Makes an acknowledged part durable, then says so. */
export const record = (
  { client, log, recorded, counter, report }: Session,
  part: UploadedPart,
  adopted: boolean
): Effect.Effect<UploadedPart, CheckpointError> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      if (Option.isSome(log)) yield* log.value.append(part)
      recorded.push(part)
      if (adopted) {
        Progress.resumed(counter, part.size)
      } else {
        Progress.durable(counter, part)
        yield* Metrics.acknowledged(client.bucket, part.size)
      }
      const { number, size, etag } = part
      const { durable } = counter
      yield* report({ _tag: "PartUploaded", number, size, etag, adopted, durable })
      return part
    })
  )

/** Forgets what was sent, and says why. */
export const restart = (
  { recorded, counter, report }: Session,
  reason: RestartReason
): Effect.Effect<void> =>
  Effect.suspend(() => {
    recorded.length = 0
    Progress.restart(counter)
    return report(UploadEvent.cases.Restarted.make({ reason }))
  })

/** Makes an upload id durable, with all that an upload with it is fixed to. */
export const recordUploadId = Effect.fnUntraced(function* (
  session: Session,
  uploadId: string,
  partSize: number
): Effect.fn.Return<void, CheckpointError> {
  const { client, key, source, options, log } = session
  if (Option.isNone(log)) return
  const size = source.size
  yield* log.value.begin({
    endpoint: client.endpoint,
    bucket: client.bucket,
    key,
    sourceId: source.id,
    fingerprint: source.fingerprint,
    size,
    partSize,
    ...(size === null ? { growth: Parts.growth } : {}),
    options: digestOptions(options),
    createdAt: yield* Clock.currentTimeMillis,
    uploadId
  })
})

/** Makes it durable that the object is there. */
export const recordReceipt = Effect.fnUntraced(function* (
  { log }: Session,
  { versionId, ...whole }: Stored
): Effect.fn.Return<void, CheckpointError> {
  if (Option.isNone(log)) return
  const version = Option.match(versionId, {
    onNone: () => ({}),
    onSome: (versionId) => ({ versionId })
  })
  yield* log.value.finish({ ...whole, ...version, completedAt: yield* Clock.currentTimeMillis })
})

/** Removes the checkpoint, if there can be one. */
export const forget = ({ log }: Session): Effect.Effect<void, CheckpointError> =>
  Option.match(log, { onNone: () => Effect.void, onSome: ({ remove }) => remove })
