/**
 * Stands between a body and the HTTP engine that reads it: it knows how far the
 * body was read and why it could not be, and closes once the request has ended.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
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
  let closed = false
  /** Reads that have not ended. */
  let reading = 0
  let end = 0
  let failure: Cause.Cause<E> | undefined
  let idle: (() => void) | undefined

  const ended = (exit: Exit.Exit<void, E>, offset: number) =>
    Effect.sync(() => {
      if (Exit.isSuccess(exit)) end = offset
      else if (!Cause.hasInterruptsOnly(exit.cause)) failure ??= exit.cause
      reading--
      if (reading === 0) idle?.()
    })

  return {
    size,
    left: left && ((bytes) => (closed ? undefined : left(bytes))),
    read: (target, offset) =>
      Effect.suspend(() => {
        if (closed) return Effect.interrupt
        reading++
        return Effect.onExit(read(target, offset), (exit) => ended(exit, offset + target.length))
      }),
    close: Effect.suspend(() => {
      closed = true
      if (reading === 0) return Effect.void
      return Effect.callback<void>((resume) => {
        idle = () => resume(Effect.void)
      })
    }),
    failure: () => failure,
    wasRead: () => end >= size
  }
}
