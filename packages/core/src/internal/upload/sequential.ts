/**
 * The way of what can only be read from the start to the end: a stream, or a
 * URL without ranges.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Body from "../../Body.ts"
import type * as Checkpoint from "../../Checkpoint.ts"
import * as Part from "../../Part.ts"
import * as Source from "../../Source.ts"
import type { UploadError } from "../../UploadRequest.ts"
import * as PartReader from "../source/partReader.ts"
import { complete, identified, mended } from "./randomAccess.ts"
import type { Earlier, Upload, UploadSession } from "./resume.ts"
import { begin, mayRestart } from "./resume.ts"
import * as Sequential from "./sequentialParts.ts"
import { restart } from "./session.ts"
import * as Store from "./complete.ts"
import * as UploadId from "./uploadId.ts"

/** A sequential source is read once, from the start; only if it turns out to be another is it sent afresh. */
export const send = Effect.fnUntraced(function* (
  session: UploadSession<Source.Sequential>,
  earlier: Earlier
): Effect.fn.Return<Store.Stored, UploadError> {
  const { source } = session
  const wanted = Option.getOrElse(session.partSize, () =>
    source.size === null ? Part.defaultPartSize : Part.partSizeFor(source.size)
  )
  let upload = earlier._tag === "Open" ? Option.some(earlier.upload) : Option.none()
  const obtained = (obtained: Upload) => {
    upload = Option.some(obtained)
  }
  const pass = Effect.suspend(() => readOnce(session, wanted, upload, obtained)).pipe(
    Effect.catchTag("Diverged", (diverged) => Effect.succeed(diverged))
  )
  const afresh = (reason: Checkpoint.RestartReason) =>
    Effect.suspend(() => {
      upload = Option.none()
      return Effect.andThen(restart(session, reason), pass)
    })
  const again = (upload: Upload) =>
    Effect.suspend(() => {
      obtained(upload)
      return pass
    })
  const first =
    earlier._tag === "Stored"
      ? comparison(session, earlier)
      : mended(session, pass, { upload: () => upload, again, afresh })
  const outcome = yield* first
  if (!(outcome instanceof Sequential.Diverged)) return outcome
  yield* mayRestart(session)
  if (Option.isSome(upload)) yield* UploadId.abort(session, upload.value.uploadId)
  const second = yield* afresh("SourceChanged")
  return second instanceof Sequential.Diverged
    ? yield* Source.changed(session.sourceName, second.description)
    : second
})

/** Reads a sequential source from the start to the end, and sends what is missing of it. */
export const readOnce = Effect.fnUntraced(function* (
  session: UploadSession<Source.Sequential>,
  wanted: number,
  earlier: Option.Option<Upload>,
  obtained: (upload: Upload) => void
): Effect.fn.Return<Store.Stored, UploadError | Sequential.Diverged, Scope.Scope> {
  const partSize = Option.match(earlier, {
    onNone: () => wanted,
    onSome: ({ partSize }) => partSize
  })
  const cutter = yield* cutterOf(session, partSize)
  const first = yield* cutter.next
  const body = Option.match(first, {
    onNone: () => Body.fromBytes(new Uint8Array(0)),
    onSome: ({ body }) => body
  })
  if (Option.isNone(earlier) && body.size < partSize) {
    return yield* Store.put({ ...session, source: Sequential.held(session.source.id, body) })
  }
  const upload = Option.isSome(earlier) ? earlier.value : yield* begin(session, partSize)
  obtained(upload)
  return yield* sendInOrder(session, upload, cutter, first)
}, Effect.scoped)

const sendInOrder = Effect.fnUntraced(function* (
  session: UploadSession<Source.Sequential>,
  upload: Upload,
  cutter: PartReader.PartReader,
  first: Option.Option<PartReader.BufferedPart>
): Effect.fn.Return<Store.Stored, UploadError | Sequential.Diverged> {
  const parts = yield* Sequential.send(session, upload, cutter, first)
  if (parts.length === 0) return yield* new Sequential.Diverged({ description: "it is empty" })
  return yield* complete(session, upload.uploadId, parts)
}, identified)

/** The object is there, if it was made of this very source. */
const comparison = Effect.fnUntraced(
  function* (
    session: UploadSession<Source.Sequential>,
    { partSize, recorded, stored }: Extract<Earlier, { readonly _tag: "Stored" }>
  ) {
    yield* Sequential.compareAll(yield* cutterOf(session, partSize), recorded)
    return stored
  },
  Effect.catchTag("Diverged", (diverged) => Effect.succeed(diverged)),
  Effect.scoped
)

const cutterOf = (session: UploadSession<Source.Sequential>, partSize: number) => {
  const { source, sourceName, slots } = session
  const asked = Option.getOrElse(session.partSize, () => Part.defaultPartSize)
  // One more than are on their way: it is filled meanwhile.
  const memory = { parts: slots.most + 1, partSize: asked }
  return PartReader.make({ source, sourceName, partSize, memory })
}
