/**
 * The errors of a source that are not this library's. Inside, each is a
 * `SourceError`, so that nothing takes it for an error of OSS, retries it or
 * settles it. Outside it is itself again.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Opened } from "../../Source.ts"
import { SourceError } from "../../SourceError.ts"
import { unreadable } from "./errors.ts"

export interface OwnErrors<E> {
  readonly hide: (error: E | SourceError) => SourceError
  readonly restore: <X>(error: X) => X | E
}

/** For one source, by its name. */
export const make = <E>(source: string): OwnErrors<E> => {
  const hidden = new WeakMap<SourceError, { readonly error: E }>()
  return {
    hide: (error) => {
      if (error instanceof SourceError) return error
      const standIn = unreadable(source, "it failed with an error of its own")
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
export const within = <E>(source: Opened<E>, { hide }: OwnErrors<E>): Opened => {
  const { id, fingerprint, contentType } = source
  if (source._tag === "Sequential") {
    const { _tag, size, lacks, bytes } = source
    return { _tag, id, fingerprint, contentType, size, lacks, bytes: Stream.mapError(bytes, hide) }
  }
  const { _tag, size, block, currentFingerprint } = source
  return {
    _tag,
    id,
    fingerprint,
    contentType,
    size,
    block,
    currentFingerprint: Effect.mapError(currentFingerprint, hide),
    read: (target, offset) => Effect.mapError(source.read(target, offset), hide)
  }
}
