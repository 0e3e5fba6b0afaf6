/** Checks whether a source is still the submitted one. */
import * as SourceErrors from "@effect-oss/core/internal/source/errors"
import * as Fingerprint from "@effect-oss/core/internal/source/fingerprint"
import type { Opened, SourceError } from "@effect-oss/core/Source"
import * as Effect from "effect/Effect"

/** `compare` if only the inode differs, as at another mount. Fails if it is another source. */
export const recognized = (
  submitted: string,
  { fingerprint }: Pick<Opened, "fingerprint">,
  name: string
): Effect.Effect<Exclude<Fingerprint.Comparison, "other">, SourceError> => {
  const comparison = Fingerprint.compare(submitted, fingerprint)
  return comparison === "other"
    ? // The reader of this error does not need the current fingerprint.
      Effect.fail(SourceErrors.changed(name, "it is not what it was when the upload was submitted"))
    : Effect.succeed(comparison)
}
