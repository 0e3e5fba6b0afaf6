/** Makes the errors of sources. */
import type { PlatformError } from "effect/PlatformError"
import { SourceChanged, SourceError, SourceNotFound, SourceUnreadable } from "../../SourceError.ts"

/** The error of a source that has changed. */
export const changed = (source: string, description: string): SourceError =>
  new SourceError({ source, reason: new SourceChanged({ description }) })

/** The error of a source that does not exist. `status` is the HTTP status of a URL. */
export const notFound = (source: string, status?: number): SourceError =>
  new SourceError({ source, reason: new SourceNotFound(status === undefined ? {} : { status }) })

/**
 * The error of a source that can't be read. `cause` is a text, or an `Error`
 * whose message is one. `advice` is the remedy, if it is known.
 */
export const unreadable = (source: string, cause: unknown, advice?: string): SourceError => {
  const code = codeOf(cause)
  return new SourceError({
    source,
    reason: new SourceUnreadable({
      description: cause instanceof Error ? cause.message : String(cause),
      ...(code === undefined ? {} : { code }),
      ...(advice === undefined ? {} : { advice })
    })
  })
}

/** Converts an error of the file system. The system's own message is better than "Unknown". */
export const fromPlatform =
  (source: string) =>
  ({ reason }: PlatformError): SourceError =>
    reason._tag === "NotFound"
      ? notFound(source)
      : unreadable(source, codeOf(reason.cause) === undefined ? reason : reason.cause)

/** The code of the system's error, such as `EIO`. */
const codeOf = (cause: unknown): string | undefined => {
  if (!(cause instanceof Error) || !("code" in cause)) return undefined
  const { code } = cause
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}
