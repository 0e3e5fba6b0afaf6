/** The errors that sources make, in short. */
import type { PlatformError } from "effect/PlatformError"
import { SourceChanged, SourceError, SourceNotFound, SourceUnreadable } from "../../SourceError.ts"

/** The source is no longer what it was. */
export const changed = (source: string, description: string): SourceError =>
  new SourceError({ source, reason: new SourceChanged({ description }) })

/** `status` is a URL's. */
export const notFound = (source: string, status?: number): SourceError =>
  new SourceError({ source, reason: new SourceNotFound(status === undefined ? {} : { status }) })

/** `cause` is a sentence, or an `Error` whose message is one. `advice` says what to do, where that is known. */
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

/** The file system's error. The system's own message is better than "Unknown". */
export const fromPlatform =
  (source: string) =>
  ({ reason }: PlatformError): SourceError =>
    reason._tag === "NotFound"
      ? notFound(source)
      : unreadable(source, codeOf(reason.cause) === undefined ? reason : reason.cause)

/** The name of the system's error, such as `EIO`. */
const codeOf = (cause: unknown): string | undefined => {
  if (!(cause instanceof Error) || !("code" in cause)) return undefined
  const { code } = cause
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}
