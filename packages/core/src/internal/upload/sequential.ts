/**
 * Sends a source that can only be read from start to end: a stream, or a URL
 * without ranges. Parts that an earlier run sent are read too, but only compared:
 * nothing else shows whether the source is still the same.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Body from "../../Body.ts"
import type { UploadedPart } from "../../Part.ts"
import type { SourceError } from "../../Source.ts"
import * as Source from "../../Source.ts"
import type { InvalidRequest } from "../../UploadError.ts"
import type { BufferedPart, PartReader } from "../source/partReader.ts"
import * as PartReaders from "../source/partReader.ts"
import * as Defaults from "./defaults.ts"
import type { Reader } from "./reader.ts"
import { Diverged } from "./reader.ts"
import type { Upload } from "./resume.ts"
import { sendAndRecord } from "./sendPart.ts"
import type { Session } from "./session.ts"
import { lent, record } from "./session.ts"
import * as Slice from "../source/slice.ts"
import * as Decisions from "./decisions.ts"
import * as Parts from "../parts.ts"
import type { Task } from "../checkpoint.ts"

/** Reads the first part, because the source may end with it. The rest is read while it is sent. */
export const reader = Effect.fnUntraced(function* (
  session: Session<Source.Sequential>,
  partSize: number
): Effect.fn.Return<Reader, SourceError | InvalidRequest, Scope.Scope> {
  const parts = yield* partReader(session, partSize)
  const first = yield* parts.next
  const body = Option.match(first, {
    onNone: () => Body.fromBytes(new Uint8Array(0)),
    onSome: ({ body }) => body
  })
  return {
    whole: body.size < partSize ? Option.some(body) : Option.none(),
    send: (upload) => send(session, upload, parts, first),
    // The source was compared while it was read.
    unchanged: Effect.void
  }
})

const partReader = Effect.fnUntraced(function* (
  session: Session<Source.Sequential>,
  partSize: number
) {
  const { source, sourceName, slots } = session
  const { memory: budget } = yield* Defaults.Current
  const asked = Option.getOrElse(session.partSize, () => Parts.defaultPartSize)
  // One part more than those in flight: it is filled meanwhile.
  const memory = { parts: slots.most + 1, partSize: asked }
  return yield* PartReaders.make({ source, sourceName, partSize, memory, budget })
})

/** Makes every part durable, beginning with `first`. Returns the parts in order. */
const send = Effect.fnUntraced(function* (
  session: Session<Source.Sequential>,
  { uploadId, recorded, listed }: Upload,
  reader: PartReader,
  first: Option.Option<BufferedPart>
) {
  if (Option.isNone(first)) return yield* new Diverged({ description: "it is empty" })
  const { slots } = session
  const taskOf = Decisions.reconciler(recorded, listed)
  const journal = byNumber(recorded)
  const parts: Array<UploadedPart> = []

  /** The next part to send. Skips parts that OSS has. */
  const missing = Effect.fnUntraced(function* (peeked: Option.Option<BufferedPart>) {
    let cut = Option.isSome(peeked) ? peeked : yield* reader.next
    for (; Option.isSome(cut); cut = yield* reader.next) {
      const { part, release } = cut.value
      yield* compare(cut.value, journal.get(part.number))
      const there = yield* partThere(taskOf(part), cut.value)
      if (Option.isNone(there)) return [cut.value, Option.none<BufferedPart>()] as const
      const { adopted, part: known } = there.value
      parts.push(adopted ? yield* record(session, known, true) : known)
      yield* release
    }
    return undefined
  })
  const sendOne = ({ part, body, release }: BufferedPart) =>
    slots
      .withSlot((lend) =>
        sendAndRecord(lent(session, lend), uploadId, { _tag: "Missing", part }, body)
      )
      .pipe(Effect.ensuring(release))

  yield* Stream.unfold(first, missing).pipe(
    // One more part is read while the others are in flight.
    Stream.buffer({ capacity: 1 }),
    Stream.mapEffect(sendOne, { concurrency: slots.most, unordered: true }),
    Stream.runForEach((part) => Effect.sync(() => parts.push(part)))
  )
  if (recorded.some(({ number }) => number > parts.length)) {
    return yield* new Diverged({ description: "it is shorter" })
  }
  return parts.sort((a, b) => a.number - b.number)
})

/** The part that OSS already has, if it does. */
const partThere = Effect.fnUntraced(function* (task: Task, cut: BufferedPart) {
  if (task._tag === "Done") return Option.some({ part: task.part, adopted: false })
  const isSame = task._tag === "Adoptable" && (yield* crc64Of(cut)) === task.part.crc64
  return isSame ? Option.some({ part: task.part, adopted: true }) : Option.none()
})

const byNumber = (parts: ReadonlyArray<UploadedPart>) =>
  new Map(parts.map((part) => [part.number, part]))

/** Fails if the recorded part differs. */
const compare = Effect.fnUntraced(function* (cut: BufferedPart, known: UploadedPart | undefined) {
  if (known === undefined) return
  const { number, offset, size } = cut.part
  const same =
    known.offset === offset && known.size === size && known.crc64 === (yield* crc64Of(cut))
  if (!same) return yield* new Diverged({ description: `its part ${number} differs` })
})

const crc64Of = ({ body }: BufferedPart) => Slice.crc64(body, 0, body.size)
