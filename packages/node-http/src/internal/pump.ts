/**
 * Moves a body into a request: each piece is read into a block, and the socket
 * is given that very block. A block is used again only after the callback of
 * its write, and given back only after the request has closed and the body is
 * no longer read: not before are both done with it.
 */
import type { Body } from "@effect-oss/core/Body"
import { acquire, type Block } from "@effect-oss/crc64"
import * as Effect from "effect/Effect"
import type { ClientRequest } from "node:http"

/** In bytes: from here on, larger ones only cost memory. */
const pieceSize = 256 * 1024

/** One block is read into while another is written. */
const blocksPerBody = 2

/** Sends the body and ends the request; returns once the last piece has been handed over. */
export const run = <E>(sent: ClientRequest, body: Body<E>): Effect.Effect<void, E> =>
  Effect.suspend(() => {
    const ring = makeRing(body.size)
    const done = countDown(2, ring.close)
    if (sent.closed) done()
    else sent.once("close", done)
    return Effect.ensuring(pump(sent, body, ring), Effect.sync(done))
  })

const pump = Effect.fnUntraced(function* <E>(sent: ClientRequest, body: Body<E>, ring: Ring) {
  for (let offset = 0; offset < body.size; offset += pieceSize) {
    const block = yield* ring.take
    const piece = block.bytes.subarray(0, Math.min(pieceSize, body.size - offset))
    yield* body.read(piece, offset)
    sent.write(piece, () => ring.give(block))
  }
  sent.end()
})

interface Ring {
  /** Waits for a block that nothing is done with. */
  readonly take: Effect.Effect<Block>
  readonly give: (block: Block) => void
  /** All blocks are somebody else's from here on. */
  readonly close: () => void
}

const makeRing = (bodySize: number): Ring => {
  const blocks: Array<Block> = []
  const free: Array<Block> = []
  let waiting: ((block: Block) => void) | undefined

  const take = Effect.suspend(() => {
    const block = free.pop()
    if (block !== undefined) return Effect.succeed(block)
    return blocks.length < blocksPerBody ? Effect.sync(more) : wait
  })
  const more = () => {
    const block = acquire(Math.min(pieceSize, bodySize))
    blocks.push(block)
    return block
  }
  const wait = Effect.callback<Block>((resume) => {
    waiting = (block) => resume(Effect.succeed(block))
    return Effect.sync(() => (waiting = undefined))
  })

  return {
    take,
    give: (block) => {
      if (waiting === undefined) {
        free.push(block)
        return
      }
      const resume = waiting
      waiting = undefined
      resume(block)
    },
    close: () => blocks.forEach(({ release }) => release())
  }
}

/** Runs `last` at the call number `count`. */
const countDown = (count: number, last: () => void) => () => {
  count--
  if (count === 0) last()
}
