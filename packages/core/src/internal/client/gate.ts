/**
 * Wraps a body that an HTTP engine reads. Records how far the body was read and
 * why reading failed, and stops reads once the request has ended.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Body } from "../../Body.ts"

export interface Guarded<E> extends Body<E> {
  /** Refuses new reads, and returns once the current ones have ended. */
  readonly close: Effect.Effect<void>
  /** The cause of the first read that failed. */
  readonly failure: () => Cause.Cause<E> | undefined
  /** True if the engine has read the last byte. */
  readonly wasRead: () => boolean
}

export const guard = <E>({ read, size, left }: Body<E>): Guarded<E> => {
  let closed = false
  /** The number of reads under way. */
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
