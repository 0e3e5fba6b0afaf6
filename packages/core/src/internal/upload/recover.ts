/**
 * Recovers from a loss while parts are sent: OSS no longer has the upload id or
 * some parts, or a sequential source turns out to have changed. A loss at OSS and
 * a changed source are recovered once each. The next one fails the upload.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { OssError } from "../../OssError.ts"
import type { UploadedPart } from "../../Part.ts"
import type { SourceError } from "../../Source.ts"
import { changed } from "../source/errors.ts"
import { abort } from "./initiate.ts"
import * as Progress from "./progress.ts"
import { Diverged } from "./reader.ts"
import type { Upload } from "./resume.ts"
import { carryOn, mayRestart } from "./resume.ts"
import type { Failure, Session } from "./session.ts"
import { forget, restart } from "./session.ts"

/** Parts that were sent are gone, or differ from the source. */
export class Lost extends Data.TaggedError("Lost")<{
  readonly reason: "UploadGone" | "PartsLost" | "SourceChanged"
  /** None if the object was already stored. */
  readonly upload: Option.Option<Upload>
  /** The parts recorded so far. */
  readonly parts: ReadonlyArray<UploadedPart>
  /** The error of the upload if this is not recovered. */
  readonly error: OssError | SourceError
}> {}

/** Turns errors that can be recovered into `Lost`, with all recorded parts, the latest last. */
export const recoverable =
  ({ sourceName, recorded }: Session, upload: Option.Option<Upload>) =>
  <A, E extends Failure, R>(
    self: Effect.Effect<A, E | Diverged, R>
  ): Effect.Effect<A, E | SourceError | Lost, R> =>
    Effect.mapError(self, (error) => {
      const earlier = Option.match(upload, { onNone: () => [], onSome: ({ recorded }) => recorded })
      const parts = [...earlier, ...recorded]
      if (error instanceof Diverged) {
        const source = Effect.runSync(Effect.flip(changed(sourceName, error.description)))
        return new Lost({ reason: "SourceChanged", upload, parts, error: source })
      }
      if (error._tag !== "OssError") return error
      if (error.reason._tag === "NoSuchUpload") {
        return new Lost({ reason: "UploadGone", upload, parts, error })
      }
      return error.reason._tag === "InvalidPart"
        ? new Lost({ reason: "PartsLost", upload, parts, error })
        : error
    })

/** Runs `first`. After each loss, recovers and continues with `pass`. */
export const recovering = <A>(
  session: Session,
  first: Effect.Effect<A, Failure | Lost>,
  pass: (session: Session, earlier: Option.Option<Upload>) => Effect.Effect<A, Failure | Lost>
): Effect.Effect<A, Failure> => {
  const attempt = (
    run: Effect.Effect<A, Failure | Lost>,
    recovered: ReadonlyArray<string>
  ): Effect.Effect<A, Failure> =>
    Effect.catchTag(run, "Lost", (lost) => {
      const whose = lost.reason === "SourceChanged" ? "source" : "server"
      return recovered.includes(whose)
        ? Effect.fail(lost.error)
        : Effect.flatMap(recover(session, lost), (left) =>
            attempt(pass(session, left), [...recovered, whose])
          )
    })
  return attempt(first, [])
}

/** Prepares the next pass. Returns the upload that it can continue, if there is one. */
const recover = Effect.fnUntraced(function* (
  session: Session,
  { reason, upload, parts }: Lost
): Effect.fn.Return<Option.Option<Upload>, Failure> {
  if (reason === "SourceChanged") yield* mayRestart(session)
  if (Option.isSome(upload)) {
    if (reason === "PartsLost" && Option.isSome(upload.value.listed)) {
      Progress.restart(session.counter)
      return Option.some(yield* carryOn(session, { ...upload.value, recorded: parts }, "PartsLost"))
    }
    if (reason !== "UploadGone") yield* abort(session, upload.value.uploadId)
  } else {
    // The checkpoint says that the object is this source's. Left there, it would fail
    // every run of a source that can't be read twice.
    yield* forget(session)
  }
  yield* restart(session, reason)
  return Option.none()
})
