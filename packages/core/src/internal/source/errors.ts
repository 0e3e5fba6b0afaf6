/** The errors that sources make, in short. */
import type { PlatformError } from "effect/PlatformError"
import { SourceError, SourceNotFound, SourceUnreadable } from "../../SourceError.ts"

export { changed } from "../../SourceError.ts"

export const notFound = (source: string): SourceError =>
  new SourceError({ source, reason: new SourceNotFound() })

/** `cause` is a sentence, or an `Error` whose message is one. */
export const unreadable = (source: string, cause: unknown): SourceError =>
  new SourceError({
    source,
    reason: new SourceUnreadable({
      description: cause instanceof Error ? cause.message : String(cause)
    })
  })

/** The file system's error. */
export const fromPlatform =
  (source: string) =>
  ({ reason }: PlatformError): SourceError =>
    reason._tag === "NotFound" ? notFound(source) : unreadable(source, reason.message)
