/**
 * The interface that both kinds of source have during an upload.
 */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Data from "effect/Data"
import type { Body } from "../../Body.ts"
import type { UploadedPart } from "../../Part.ts"
import type { SourceError } from "../../Source.ts"
import type { Upload } from "./resume.ts"
import type { Failure } from "./session.ts"

/** A sequential source differs from what an earlier run sent. */
export class Diverged extends Data.TaggedError("Diverged")<{ readonly description: string }> {}

/** One pass over a source. */
export interface Reader {
  /** The whole source, if it is smaller than a part: it is sent in one request. */
  readonly whole: Option.Option<Body<SourceError>>
  /** Sends and records the missing parts. Returns all parts, in order. */
  readonly send: (upload: Upload) => Effect.Effect<ReadonlyArray<UploadedPart>, Failure | Diverged>
  /** Fails if the source has changed since it was opened. */
  readonly unchanged: Effect.Effect<void, SourceError>
}
