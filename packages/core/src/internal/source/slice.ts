/** Reads ranges of an opened source, as the body of a request and as a CRC64. */
import * as Effect from "effect/Effect"
import type * as Body from "../../Body.ts"
import * as Bodies from "../body.ts"
import * as Crc64 from "../../Crc64.ts"
import type { RandomAccess, SourceError } from "../../Source.ts"

type Readable<E> = Pick<RandomAccess<E>, "read" | "block">

/** The body of `size` bytes from `offset`. */
export const slice = <E>(
  { read, block }: Readable<E>,
  offset: number,
  size: number
): Body.Body<SourceError | E> => {
  const body: Body.Body<SourceError | E> = {
    size,
    read: (target, position) => read(target, offset + position)
  }
  return block === undefined ? body : inBlocks(body, block)
}

/** Reads `block` bytes at a time and returns them in pieces of any size. */
const inBlocks = <E>({ size, read }: Body.Body<E>, block: number): Body.Body<E> => {
  const held = { start: 0, bytes: new Uint8Array(0) }
  const hold = (start: number) => {
    const bytes = new Uint8Array(Math.min(block, size - start))
    return Effect.map(read(bytes, start), () => Object.assign(held, { start, bytes }))
  }
  return {
    size,
    read: Effect.fnUntraced(function* (target, offset) {
      for (let filled = 0; filled < target.length;) {
        const at = offset + filled
        const within = at >= held.start && at < held.start + held.bytes.length
        const { start, bytes } = within ? held : yield* hold(at)
        const piece = bytes.subarray(at - start, at - start + target.length - filled)
        target.set(piece, filled)
        filled += piece.length
      }
    })
  }
}

/** The CRC64 of `size` bytes from `offset`. */
export const crc64 = Effect.fnUntraced(function* <E>(
  source: Readable<E>,
  offset: number,
  size: number
): Effect.fn.Return<bigint, SourceError | E> {
  const { read } = slice(source, offset, size)
  const buffer = new Uint8Array(Math.min(Bodies.pieceSize, size))
  let crc = 0n
  for (let done = 0; done < size; done += Bodies.pieceSize) {
    const piece = buffer.subarray(0, Math.min(Bodies.pieceSize, size - done))
    yield* read(piece, done)
    crc = Crc64.of(piece, crc)
  }
  return crc
})
