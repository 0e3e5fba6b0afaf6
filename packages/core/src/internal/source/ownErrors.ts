/**
 * The errors of a source that are not this library's. Inside, each is a
 * `SourceError`, so that nothing takes it for an error of OSS, retries it or
 * settles it; outside it is itself again.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Opened, Sequence } from "../../Source.ts"
import { SourceError, SourceUnreadable } from "../../SourceError.ts"

export interface Foreign<E> {
  readonly hide: (error: E | SourceError) => SourceError
  readonly restore: <X>(error: X) => X | E
}

/** For one source, by its name. */
export const make = <E>(source: string): Foreign<E> => {
  const hidden = new WeakMap<SourceError, { readonly error: E }>()
  return {
    hide: (error) => {
      if (error instanceof SourceError) return error
      const reason = new SourceUnreadable({ description: "it failed with an error of its own" })
      const standIn = new SourceError({ source, reason })
      hidden.set(standIn, { error })
      return standIn
    },
    restore: (error) => {
      const standsFor = error instanceof SourceError ? hidden.get(error) : undefined
      return standsFor === undefined ? error : standsFor.error
    }
  }
}

/** The source, with its errors hidden. */
export const within = <E>(
  source: Opened<E> | Sequence<E>,
  { hide }: Foreign<E>
): Opened | Sequence => {
  const { id, fingerprint } = source
  if ("bytes" in source) {
    return { id, fingerprint, size: source.size, bytes: Stream.mapError(source.bytes, hide) }
  }
  const { size, block, currentFingerprint, read } = source
  return {
    id,
    fingerprint,
    size,
    block,
    currentFingerprint: Effect.mapError(currentFingerprint, hide),
    read: (target, offset) => Effect.mapError(read(target, offset), hide)
  }
}
