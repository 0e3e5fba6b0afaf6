/** Checks that a source has not changed since it was opened. */
import * as Effect from "effect/Effect"
import type { RandomAccess } from "../../Source.ts"
import type { SourceError } from "../../SourceError.ts"
import { changed } from "./errors.ts"
import * as Fingerprint from "./fingerprint.ts"

/** Fails if the source has changed. */
export const unchanged = (
  {
    fingerprint,
    currentFingerprint
  }: Pick<RandomAccess<SourceError>, "fingerprint" | "currentFingerprint">,
  name: string
): Effect.Effect<void, SourceError> =>
  Effect.matchEffect(currentFingerprint, {
    onFailure: (error) =>
      Effect.fail(error.reason._tag === "SourceNotFound" ? changed(name, "it is gone") : error),
    onSuccess: (current) =>
      current === fingerprint
        ? Effect.void
        : Effect.fail(changed(name, Fingerprint.difference(fingerprint, current)))
  })
