/** Who holds the memory of a body, and until when. */
import { assert, describe, it } from "@effect/vitest"
import { Body, Crc64 } from "@effect-oss/core"
import { acquire } from "@effect-oss/crc64"
import { Effect } from "effect"
import type { ClientRequest } from "node:http"
import { Writable } from "node:stream"
import * as Pump from "../src/internal/pump.ts"

const size = 64 * 1024
const content = Uint8Array.from({ length: size }, (_, index) => index * 7)

/** A request whose socket is given the bytes, and is not done with them. */
const pending = () => {
  const given: Array<Uint8Array> = []
  const sent = new Writable({
    write: (bytes: Uint8Array) => void given.push(bytes)
  })
  const request = Object.assign(sent, { flushHeaders: () => undefined })
  return { sent: request as unknown as ClientRequest, given }
}

/** Somebody else takes as much memory, and writes into it. */
const overwrite = Effect.acquireRelease(
  Effect.sync(() => {
    const block = acquire(size)
    block.bytes.fill(0xff)
    return block
  }),
  ({ release }) => Effect.sync(release)
)

const ways: ReadonlyArray<
  readonly [string, (pump: Pump.Pump, sent: ClientRequest) => Effect.Effect<void>]
> = [
  ["piece by piece", (pump, sent) => pump.run(sent, Body.fromBytes(content))],
  [
    "as a whole",
    (pump, sent) =>
      pump.whole(Body.fromBytes(content), (bytes, carriedBy) =>
        Effect.sync(() => {
          carriedBy(sent)
          sent.end(bytes)
        })
      )
  ]
]

describe("the memory of a body", () => {
  it.effect.each(ways)(
    "that is sent %s is nobody else's until its request has closed",
    ([, send]) =>
      Effect.gen(function* () {
        const { sent, given } = pending()
        yield* send(Pump.make(), sent)
        yield* overwrite
        const [bytes] = given
        assert.strictEqual(Crc64.of(bytes!), Crc64.of(content))
        const closed = new Promise((resolve) => sent.once("close", resolve))
        sent.destroy()
        yield* Effect.promise(() => closed)
        const { bytes: next } = yield* overwrite
        assert.strictEqual(next.byteOffset, bytes!.byteOffset)
      })
  )
})
