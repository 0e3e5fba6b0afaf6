/**
 * What the two kinds of source have in common while they are uploaded.
 */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Data from "effect/Data"
import type { Body } from "../../Body.ts"
import type { UploadedPart } from "../../Part.ts"
import type { SourceError } from "../../Source.ts"
import type { Upload } from "./resume.ts"
import type { Failure } from "./session.ts"

/** A sequential source is not what an earlier run sent. */
export class Diverged extends Data.TaggedError("Diverged")<{ readonly description: string }> {}

/** One reading of a source. */
export interface Reader {
  /** All of the source, if it is smaller than a part: it goes up with one request. */
  readonly whole: Option.Option<Body<SourceError>>
  /** Sends what is missing, and records it; yields all parts, in order. */
  readonly send: (upload: Upload) => Effect.Effect<ReadonlyArray<UploadedPart>, Failure | Diverged>
  /** Fails unless the source is what it was when it was opened. */
  readonly unchanged: Effect.Effect<void, SourceError>
}
