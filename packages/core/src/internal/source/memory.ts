/**
 * A memory budget for many uploads. An upload takes all the memory of a part
 * before it reads the part, and returns it when the part is durable. So an
 * upload that waits for memory holds none that another one needs. Requests are
 * served in order, so that large parts don't starve.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Bodies from "../body.ts"

export interface Memory {
  /** The size of the budget, in bytes. */
  readonly bytes: number
  /** How many bytes are taken now. */
  readonly taken: () => number
  /** Opens an account for one upload. It returns all memory when the scope closes. */
  readonly open: Effect.Effect<Account, never, Scope.Scope>
}

export interface Account {
  /** Waits until `bytes` are free, and takes them. If `bytes` is more than the budget, it takes the whole budget. Returns an effect that returns the memory. */
  readonly take: (bytes: number) => Effect.Effect<Effect.Effect<void>>
  /** Takes memory while an effect runs. */
  readonly using: (
    bytes: number
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Blocks that no upload uses now. */
  readonly free: Array<Uint8Array>
}

/**
 * The size of a block, in bytes. Parts are sent in pieces of this size, so each
 * piece lies within one block.
 */
export const blockSize: number = Bodies.pieceSize

/** Makes a budget of `bytes`, rounded to whole blocks. */
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
      // Drops the free blocks, because the next upload may start hours later.
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

/** The memory that a part has taken or waits for. */
interface Hold {
  readonly bytes: number
  readonly admitted: () => void
}
