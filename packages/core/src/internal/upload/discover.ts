/**
 * Finding an upload whose checkpoint was lost. It is only taken for this
 * source's if its parts fit a plan of it and the first one's CRC64 is that of
 * the source's bytes; the others are compared before they are adopted.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Checkpoint from "../../Checkpoint.ts"
import type { CheckpointError } from "../../CheckpointStore.ts"
import type { ListedPart } from "../../OssModel.ts"
import type { OssError } from "../../OssError.ts"
import type { Plan } from "../../Part.ts"
import * as Source from "../../Source.ts"
import { listParts, uploadsOfKey } from "./listing.ts"
import type { Session } from "./session.ts"

export interface Found {
  readonly uploadId: string
  readonly plan: Plan
  readonly listed: ReadonlyArray<ListedPart>
}

/** The newest upload of the key that holds parts of this source, cut as asked for. */
export const find = Effect.fnUntraced(function* (
  session: Session<Source.RandomAccess>,
  partSize: Option.Option<number>
): Effect.fn.Return<Option.Option<Found>, OssError | Source.SourceError | CheckpointError> {
  const listed = yield* uploadsOfKey(session)
  if (Option.isNone(listed)) return Option.none()
  const others = yield* Stream.runCollect(
    session.store.listObject({
      endpoint: session.client.endpoint,
      bucket: session.client.bucket,
      key: session.key
    })
  )
  const held = new Set(others.flatMap(({ header }) => Checkpoint.uploadIdOf(header) ?? []))
  const newestFirst = listed.value.uploads
    .filter(({ uploadId }) => !held.has(uploadId))
    .sort((a, b) => b.initiated - a.initiated)
  for (const { uploadId } of newestFirst) {
    const found = yield* inspect(session, uploadId)
    if (Option.isNone(found)) continue
    if (Option.getOrElse(partSize, () => found.value.plan.partSize) === found.value.plan.partSize) {
      return found
    }
  }
  return Option.none()
})

const inspect = Effect.fnUntraced(
  function* (session: Session<Source.RandomAccess>, uploadId: string) {
    const listed = Option.getOrElse(yield* listParts(session, uploadId), () => [])
    const plan = Checkpoint.planOf(session.source.size, listed)
    if (Option.isNone(plan)) return Option.none()
    const tasks = Checkpoint.reconcile(plan.value, [], Option.some(listed))
    const first = tasks.find((task) => task._tag === "Adoptable")
    if (first === undefined) return Option.none()
    const { offset, size, crc64 } = first.part
    const local = yield* Source.crc64(session.source, offset, size)
    return local === crc64 ? Option.some({ uploadId, plan: plan.value, listed }) : Option.none()
  },
  Effect.catchReason("OssError", "NoSuchUpload", () => Effect.succeedNone)
)
