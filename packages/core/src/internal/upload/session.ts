/**
 * The session of a running upload: its request, what it holds, and what it reports.
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

/** What it takes to send objects and parts. */
export interface Transfer extends Requests {
  readonly options: ObjectOptions
  readonly counter: Progress.Counter
}

/** The session of a running upload. */
export interface Session<out S = Opened> extends Transfer {
  readonly source: S
  readonly sourceName: string
  /** As the request asks, in bytes. */
  readonly partSize: Option.Option<number>
  readonly onSourceChanged: "restart" | "fail"
  readonly discover: boolean
  readonly from: Option.Option<Checkpoint.AliOss>
  readonly store: CheckpointStore["Service"]
  /** None if one request is enough and no earlier run recorded anything. */
  readonly log: Option.Option<CheckpointLog>
  readonly slots: Slots
  /** The parts that this run has recorded. */
  readonly recorded: Array<UploadedPart>
  readonly report: (event: UploadEvent) => Effect.Effect<void>
}

/**
 * How the object is stored: as the request asks, with the content type of the
 * source if it has one. The digest in the checkpoint leaves that type out, because
 * a browser may give the file another type at the next run.
 */
export const objectOptions = ({ options, source }: Session): ObjectOptions =>
  source.contentType === undefined
    ? options
    : { ...options, headers: { "content-type": source.contentType, ...options.headers } }

/** The same session, whose requests lend their slot while they wait for a retry. */
export const lent = <S extends Transfer>(session: S, lend: Lend): S => ({
  ...session,
  retrying: (request) => session.retrying(request, lend)
})

/** Makes an acknowledged part durable, then reports it. */
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

/** Forgets the parts sent so far, and reports why. */
export const restart = (
  { recorded, counter, report }: Session,
  reason: RestartReason
): Effect.Effect<void> =>
  Effect.suspend(() => {
    recorded.length = 0
    Progress.restart(counter)
    return report(UploadEvent.cases.Restarted.make({ reason }))
  })

/** Makes an upload id durable, with all facts that are fixed for it. */
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

/** Makes the receipt of a stored object durable. */
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

/** Removes the checkpoint, if the session has one. */
export const forget = ({ log }: Session): Effect.Effect<void, CheckpointError> =>
  Option.match(log, { onNone: () => Effect.void, onSome: ({ remove }) => remove })
