/**
 * One budget of memory for many uploads. An upload takes what a part needs at
 * once, before it reads the part, and gives it back when the part is durable. So
 * an upload that waits for memory holds none that another one waits for. Requests
 * are served in order, so that large parts don't starve.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Bodies from "../body.ts"

export interface Memory {
  /** The budget, in bytes. */
  readonly bytes: number
  /** Taken at the moment, in bytes. */
  readonly taken: () => number
  /** One upload's share, given back at the latest when the scope closes. */
  readonly open: Effect.Effect<Account, never, Scope.Scope>
}

export interface Account {
  /** Waits until so many bytes are free; more than the budget take all of it. Yields what gives them back. */
  readonly take: (bytes: number) => Effect.Effect<Effect.Effect<void>>
  /** Runs an effect that needs so many bytes. */
  readonly using: (
    bytes: number
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Blocks that no part of any upload uses. */
  readonly free: Array<Uint8Array>
}

/** In bytes. A part is sent in pieces of this size, so that each piece lies within one block. */
export const blockSize: number = Bodies.pieceSize

/** A budget of so many bytes, in whole blocks. */
export const make = (wanted: number): Memory => {
  const bytes = Math.floor(wanted / blockSize) * blockSize
  const free: Array<Uint8Array> = []
  const waiting = new Set<Hold>()
  let taken = 0
  let accounts = 0

  const admit = () => {
    for (const hold of waiting) {
      if (taken + hold.bytes > bytes) return
      waiting.delete(hold)
      taken += hold.bytes
      hold.admitted()
    }
  }

  const open = () => {
    accounts++
    const holds = new Set<Hold>()
    const giveBack = (hold: Hold) => {
      if (!holds.delete(hold)) return
      if (!waiting.delete(hold)) taken -= hold.bytes
      admit()
    }
    const take: Account["take"] = (wanted) =>
      Effect.callback((resume) => {
        const release = Effect.sync(() => giveBack(hold))
        const hold: Hold = {
          bytes: Math.min(wanted, bytes),
          admitted: () => resume(Effect.succeed(release))
        }
        holds.add(hold)
        waiting.add(hold)
        admit()
        return release
      })
    const using: Account["using"] = (bytes) => (effect) =>
      Effect.acquireUseRelease(
        Effect.interruptible(take(bytes)),
        () => effect,
        (release) => release
      )
    const close = () => {
      for (const hold of holds) giveBack(hold)
      accounts--
      // The next upload may be hours away.
      if (accounts === 0) free.length = 0
    }
    return { take, using, free, close }
  }
  return {
    bytes,
    taken: () => taken,
    open: Effect.acquireRelease(Effect.sync(open), ({ close }) => Effect.sync(close))
  }
}

/** What a part has taken, or waits for. */
interface Hold {
  readonly bytes: number
  readonly admitted: () => void
}
