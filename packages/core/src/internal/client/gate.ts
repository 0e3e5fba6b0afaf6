/**
 * Stands between a body and the HTTP engine that reads it: it knows how far the
 * body was read and why it could not be, and closes once the request has ended.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Body } from "../../Body.ts"

export interface Guarded<E> extends Body<E> {
  /** Returns once nothing is being read; nothing will be. */
  readonly close: Effect.Effect<void>
  /** What went wrong with reading, if anything. */
  readonly failure: () => Cause.Cause<E> | undefined
  /** Whether the engine has got the last byte. */
  readonly wasRead: () => boolean
}

export const guard = <E>({ read, size, left }: Body<E>): Guarded<E> => {
  const gate = Semaphore.makeUnsafe(1)
  let closed = false
  let end = 0
  let failure: Cause.Cause<E> | undefined

  const note = (cause: Cause.Cause<E>) =>
    Effect.sync(() => {
      if (!Cause.hasInterruptsOnly(cause)) failure ??= cause
    })

  return {
    size,
    left: left && ((bytes) => (closed ? undefined : left(bytes))),
    read: (target, offset) =>
      gate.withPermit(
        Effect.suspend(() =>
          closed
            ? Effect.interrupt
            : Effect.map(Effect.onError(read(target, offset), note), () => {
                end = offset + target.length
              })
        )
      ),
    close: Effect.suspend(() => {
      closed = true
      return gate.withPermit(Effect.void)
    }),
    failure: () => failure,
    wasRead: () => end >= size
  }
}
