/**
 * Memory for the parts of a sequence, in blocks of one size, so that a part
 * takes what it has bytes for, and what one part gives back fits the next one,
 * also if that is larger. Nothing is given up before the end: whoever needs so
 * much once needs it again.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Body from "../../Body.ts"
import { InvalidRequest } from "../../UploadError.ts"

/** In bytes: what is read at once when a part is sent, so that this is within one block. */
export const blockSize: number = Body.pieceSize

/** What parts that grow by themselves may have together, in bytes, as long as two of them have less. */
const budget = 512 * 1024 * 1024

/** How much of memory a sequence takes. */
export interface Options {
  /** There are never more parts in memory. At least 2: one to be filled, one to be sent. */
  readonly parts: number
  /** What so many parts have at first, in bytes: memory for so much has been asked for. */
  readonly partSize: number
}

/** Room for one part, which grows as it is filled. */
export interface Room {
  /** One more block, behind those that there are. */
  readonly more: Effect.Effect<Uint8Array, InvalidRequest>
  /** The first `size` bytes. Valid until `release`. */
  readonly body: (size: number) => Body.Body
  /** The blocks may be another part's from here on. */
  readonly release: Effect.Effect<void>
}

export interface Blocks {
  /** Waits until there may be a part of at most so many bytes. Not to be run twice at once. */
  readonly room: (size: number) => Effect.Effect<Room>
}

export const make = ({ parts, partSize }: Options): Blocks => {
  const most = Math.max(budget, parts * partSize)
  const permits = Semaphore.makeUnsafe(blocksIn(most))
  const free: Array<Uint8Array> = []
  // Of small parts so many as were asked for; of large ones fewer, but two.
  const weightOf = (size: number) =>
    Math.min(blocksIn(most / 2), Math.max(blocksIn(size), blocksIn(most / parts)))
  return {
    room: (size) => {
      const weight = weightOf(size)
      const leave = Effect.asVoid(permits.release(weight))
      return Effect.map(permits.take(weight), () => roomOf(free, size, leave))
    }
  }
}

const blocksIn = (bytes: number): number => Math.max(1, Math.floor(bytes / blockSize))

const roomOf = (free: Array<Uint8Array>, size: number, leave: Effect.Effect<void>): Room => {
  const held: Array<Uint8Array> = []
  return {
    more: Effect.try({
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
      free.push(...held.splice(0))
      return leave
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
