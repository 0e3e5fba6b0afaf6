/**
 * Memory for the parts of a sequential source. A part takes blocks of one size
 * while it is filled, and a later part uses them again. The pool keeps its
 * blocks until the upload ends. Uploads that share a memory budget share the
 * blocks as well.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Body from "../../Body.ts"
import { InvalidRequest } from "../../UploadError.ts"
import type { Account } from "./memory.ts"
import { blockSize } from "./memory.ts"

/** The memory that growing parts share, unless two of them need more, in bytes. */
const budget = 512 * 1024 * 1024

/** How much memory a sequential source takes. */
export interface Options {
  /** The most parts in memory at once. At least 2: one is filled while one is sent. */
  readonly parts: number
  /** The size of the first parts, in bytes. The pool can always hold `parts` of them. */
  readonly partSize: number
  /** The memory budget that uploads share. Default: none. */
  readonly account?: Account | undefined
}

/** The memory of one part, which grows as the part is filled. */
export interface PartBuffer {
  /** Adds a block at the end. */
  readonly grow: Effect.Effect<Uint8Array, InvalidRequest>
  /** The first `size` bytes. Valid until `release`. */
  readonly body: (size: number) => Body.Body
  /** Returns the blocks to the pool. */
  readonly release: Effect.Effect<void>
}

export interface BufferPool {
  /** Waits until the pool has room for a part of at most `size` bytes. Don't run it twice at once. */
  readonly acquire: (size: number) => Effect.Effect<PartBuffer>
}

export const make = ({ parts, partSize, account }: Options): BufferPool => {
  const most = Math.max(budget, parts * partSize)
  const permits = Semaphore.makeUnsafe(blocksIn(most))
  const free = account?.free ?? []
  // As many buffers as requested for small parts; fewer for large ones, but never fewer than two.
  const weightOf = (size: number) =>
    Math.min(blocksIn(most / 2), Math.max(blocksIn(size), blocksIn(most / parts)))
  return {
    acquire: (size) => {
      const weight = weightOf(size)
      const shared = account?.take(Math.ceil(size / blockSize) * blockSize)
      return Effect.map(
        Effect.andThen(permits.take(weight), shared ?? Effect.succeed(Effect.void)),
        (giveBack) =>
          partBuffer(free, size, Effect.andThen(giveBack, Effect.asVoid(permits.release(weight))))
      )
    }
  }
}

const blocksIn = (bytes: number): number => Math.max(1, Math.floor(bytes / blockSize))

const partBuffer = (
  free: Array<Uint8Array>,
  size: number,
  release: Effect.Effect<void>
): PartBuffer => {
  const held: Array<Uint8Array> = []
  return {
    grow: Effect.try({
      try: () => {
        const block = free.pop() ?? new Uint8Array(blockSize)
        held.push(block)
        return block
      },
      catch: () =>
        new InvalidRequest({
          field: "partSize",
          problem: `there is no memory for a part of ${size} bytes`,
          remedy: "give a smaller part size, or less concurrency"
        })
    }),
    body: (size) => ({
      size,
      read: (target, offset) => Effect.sync(() => copy(held, target, offset))
    }),
    release: Effect.suspend(() => {
      free.push(...held)
      return release
    })
  }
}

const copy = (blocks: ReadonlyArray<Uint8Array>, target: Uint8Array, offset: number): void => {
  for (let filled = 0; filled < target.length;) {
    const at = offset + filled
    const start = at % blockSize
    const block = blocks[Math.floor(at / blockSize)]!
    const piece = block.subarray(start, start + target.length - filled)
    target.set(piece, filled)
    filled += piece.length
  }
}
