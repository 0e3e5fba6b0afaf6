import { assert, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { HttpBody } from "effect/http"
import * as Body from "../../src/Body.ts"
import * as Bodies from "../../src/internal/body.ts"

it("is found behind the HTTP body that was made of it, and behind no other", () => {
  const body = Body.fromBytes(new Uint8Array(10))
  const httpBody = Bodies.toHttpBody(body)
  assert.isTrue(Option.contains(Bodies.behind(httpBody), body))
  assert.strictEqual(httpBody.contentLength, 10)
  assert.isTrue(Option.isNone(Bodies.behind(HttpBody.stream(Stream.empty, undefined, 10))))
  assert.isTrue(Option.isNone(Bodies.behind(HttpBody.empty)))
})

it.effect("is a stream of pieces in memory of their own, as often as it is run", () =>
  Effect.gen(function* () {
    const content = Uint8Array.from({ length: Bodies.pieceSize + 5 }, (_, index) => index)
    const { stream } = Bodies.toHttpBody(Body.fromBytes(content))
    for (const pieces of [yield* Stream.runCollect(stream), yield* Stream.runCollect(stream)]) {
      assert.deepStrictEqual(
        pieces.map(({ length }) => length),
        [Bodies.pieceSize, 5]
      )
      assert.deepStrictEqual(new Uint8Array(Buffer.concat(pieces)), content)
    }
  })
)

it.effect("counts as sent what is read, until an engine says how much has left", () =>
  Effect.gen(function* () {
    const sent: Array<readonly [number, number]> = []
    const body = Bodies.tapSent(Body.fromBytes(new Uint8Array(10)), (offset, bytes) =>
      sent.push([offset, bytes])
    )
    yield* body.read(new Uint8Array(4), 0)
    yield* body.read(new Uint8Array(6), 4)
    assert.deepStrictEqual(sent, [
      [0, 4],
      [4, 6]
    ])
    sent.length = 0
    // An engine that reads ahead, and sends the body twice.
    for (const _ of ["once", "again"]) {
      body.left?.(0)
      yield* body.read(new Uint8Array(10), 0)
      body.left?.(3)
      body.left?.(3)
      body.left?.(10)
    }
    assert.deepStrictEqual(sent, [
      [0, 3],
      [3, 7],
      [0, 3],
      [3, 7]
    ])
  })
)
