/**
 * Sends a sequential source, part by part as it is read. What an earlier run sent is
 * read as well, but only compared: a sequential source has nothing else that could tell
 * whether it is still the same.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Body from "../../Body.ts"
import * as Checkpoint from "../../Checkpoint.ts"
import type { CheckpointError } from "../../CheckpointStore.ts"
import type { ListedPart } from "../../OssModel.ts"
import type { OssError } from "../../OssError.ts"
import type { Part, UploadedPart } from "../../Part.ts"
import type { RandomAccess, SourceError } from "../../Source.ts"
import * as Source from "../../Source.ts"
import type { InvalidRequest } from "../../UploadError.ts"
import type { BufferedPart, PartReader } from "../source/partReader.ts"
import { sendPart } from "./sendPart.ts"
import type { Session } from "./session.ts"
import { record } from "./session.ts"

/** The source is not what an earlier run sent. */
export class Diverged extends Data.TaggedError("Diverged")<{ readonly description: string }> {}

/** What an earlier run left of an upload. */
export interface Earlier {
  readonly uploadId: string
  readonly recorded: ReadonlyArray<UploadedPart>
  readonly listed: Option.Option<ReadonlyArray<ListedPart>>
}

type Failure = OssError | SourceError | CheckpointError | InvalidRequest | Diverged

/** Makes every part durable, beginning with `first`; yields the parts in order. */
export const send = Effect.fnUntraced(function* (
  session: Session,
  { uploadId, recorded, listed }: Earlier,
  cutter: PartReader,
  first: Option.Option<BufferedPart>
): Effect.fn.Return<ReadonlyArray<Part>, Failure> {
  const { slots } = session
  const parts: Array<Part> = []
  const taskOf = Checkpoint.reconciler(recorded, listed)
  const journal = byNumber(recorded)

  const isThere = Effect.fnUntraced(function* (cut: BufferedPart) {
    const task = taskOf(cut.part)
    yield* compare(cut, journal.get(cut.part.number))
    if (task._tag !== "Adoptable") return task._tag === "Done"
    const same = (yield* crc64Of(cut)) === task.part.crc64
    if (same) yield* record(session, task.part, true)
    return same
  })
  const missing = Effect.fnUntraced(function* (peeked: Option.Option<BufferedPart>) {
    let cut = Option.isSome(peeked) ? peeked : yield* cutter.next
    for (; Option.isSome(cut); cut = yield* cutter.next) {
      parts.push(cut.value.part)
      if (!(yield* isThere(cut.value))) return [cut.value, Option.none<BufferedPart>()] as const
      yield* cut.value.release
    }
    return undefined
  })

  if (Option.isSome(first)) {
    yield* Stream.unfold(first, missing).pipe(
      // One more is read while the others are on their way.
      Stream.buffer({ capacity: 1 }),
      Stream.mapEffect(
        ({ part, body, release }) =>
          slots
            .withSlot(sendPart(session, uploadId, { _tag: "Missing", part }, body))
            .pipe(Effect.ensuring(release)),
        { concurrency: slots.most, unordered: true }
      ),
      Stream.runDrain
    )
  }
  yield* noneAfter(parts.length, journal)
  return parts
})

/** Fails unless the source is just what was recorded. */
export const compareAll = Effect.fnUntraced(function* (
  cutter: PartReader,
  recorded: ReadonlyArray<UploadedPart>
): Effect.fn.Return<void, SourceError | InvalidRequest | Diverged> {
  const journal = byNumber(recorded)
  let cut = yield* cutter.next
  for (; Option.isSome(cut); cut = yield* cutter.next) {
    const { number } = cut.value.part
    if (!journal.has(number)) return yield* new Diverged({ description: "it is longer" })
    yield* compare(cut.value, journal.get(number))
    journal.delete(number)
    yield* cut.value.release
  }
  yield* noneAfter(0, journal)
})

const byNumber = (parts: ReadonlyArray<UploadedPart>) =>
  new Map(parts.map((part) => [part.number, part]))

const noneAfter = (last: number, journal: ReadonlyMap<number, UploadedPart>) =>
  Array.from(journal.keys()).every((number) => number <= last)
    ? Effect.void
    : new Diverged({ description: "it is shorter" })

/** Fails if a part was recorded otherwise. */
const compare = Effect.fnUntraced(function* (cut: BufferedPart, known: UploadedPart | undefined) {
  if (known === undefined) return
  const { number, offset, size } = cut.part
  const same =
    known.offset === offset && known.size === size && known.crc64 === (yield* crc64Of(cut))
  if (!same) return yield* new Diverged({ description: `its part ${number} is another` })
})

const crc64Of = ({ body }: BufferedPart) => Source.crc64(body, 0, body.size)

/** The bytes of a sequential source that fits into memory, as a random access source. */
export const held = (id: string, { size, read }: Body.Body): RandomAccess => ({
  _tag: "RandomAccess",
  id,
  size,
  fingerprint: "",
  currentFingerprint: Effect.succeed(""),
  read
})
