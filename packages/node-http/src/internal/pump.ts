/**
 * Writes bodies to requests. It reads each piece into a block and passes that
 * block to the socket. It reuses a block only after the callback of its write.
 * It releases a block only after the request has closed and the reading of the
 * body has stopped, because both may still use it.
 *
 * Each body has one block. While the next piece is read into it, the system
 * still sends the bytes that the socket took before, and other bodies are
 * written.
 */
import type { Body } from "@effect-oss/core/Body"
import { acquire } from "@effect-oss/crc64"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ClientRequest } from "node:http"
import * as Pieces from "./pieces.ts"

export interface Pump {
  /** Reads all of a short body and passes it to `use`, which returns the request that carries it. The bytes stay valid until that request has closed. */
  readonly whole: <E, A, E2>(
    body: Body<E>,
    use: (bytes: Uint8Array, carriedBy: (sent: ClientRequest) => void) => Effect.Effect<A, E2>
  ) => Effect.Effect<A, E | E2>
  /** Sends the body and ends the request; returns once the last piece has been handed over. */
  readonly run: <E>(sent: ClientRequest, body: Body<E>) => Effect.Effect<void, E>
}

/** The state that all bodies share: they use the same network path. */
interface Way {
  bodies: number
  /** The size that suited the last piece, in bytes. */
  pieceSize: number
}

/** True if a body fits into one piece, so that it can be read before its request begins. */
export const isShort = ({ size }: Body<unknown>): boolean => size <= Pieces.smallest

export const make = (): Pump => {
  const way: Way = { bodies: 0, pieceSize: Pieces.smallest }
  return {
    whole: (body, use) =>
      Effect.suspend(() => {
        const { bytes, release } = acquire(body.size)
        let isCarried = false
        const carriedBy = (sent: ClientRequest) => {
          isCarried = true
          sent.once("close", release)
        }
        return Effect.ensuring(
          Effect.flatMap(body.read(bytes, 0), () => use(bytes, carriedBy)),
          Effect.sync(() => {
            if (!isCarried) release()
          })
        )
      }),
    run: (sent, body) =>
      Effect.suspend(() => {
        way.bodies++
        const block = acquire(Math.min(Pieces.blockSize(way.bodies), body.size))
        const done = countDown(2, () => {
          way.bodies--
          block.release()
        })
        if (sent.closed) done()
        else sent.once("close", done)
        return Effect.ensuring(pump(way, sent, body, block.bytes), Effect.sync(done))
      })
  }
}

const pump = Effect.fnUntraced(function* <E>(
  way: Way,
  sent: ClientRequest,
  { size, read }: Body<E>,
  block: Uint8Array
) {
  // Sends the headers by themselves: Node would join them with the first piece, and TLS would copy it.
  sent.flushHeaders()
  for (let offset = 0; offset < size;) {
    const piece = block.subarray(0, Math.min(way.pieceSize, size - offset))
    yield* read(piece, offset)
    offset += piece.length
    // The response may arrive before the callback of the last write.
    if (offset === size) end(sent, piece)
    else yield* write(way, sent, piece)
  }
})

/** Uses two calls: with one call, Node would join the piece with an empty one, and TLS would copy it. */
const end = (sent: ClientRequest, piece: Uint8Array) => {
  sent.write(piece)
  sent.end()
}

/** Returns once the socket no longer needs the piece, or is broken. */
const write = Effect.fnUntraced(function* (way: Way, sent: ClientRequest, piece: Uint8Array) {
  const start = yield* Clock.monotonicTimeNanos
  yield* Effect.callback<void>((resume) => {
    sent.write(piece, () => resume(Effect.void))
    return Effect.sync(() => (way.pieceSize = Pieces.smallest))
  })
  const nanos = (yield* Clock.monotonicTimeNanos) - start
  way.pieceSize = Pieces.next(piece.length, Number(nanos) / 1e6)
})

/** Runs `last` on call number `count`. */
const countDown = (count: number, last: () => void) => () => {
  count--
  if (count === 0) last()
}
