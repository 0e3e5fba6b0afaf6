/** Nothing is lost, wherever an upload is stopped. Enumerated, not sampled; `exhaust.ts` takes all pairs in all ways. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { contentOf } from "./crash.ts"
import type { Ending } from "./crash.ts"
import { everyPair, everyStop, isRequestOrRecord, killings } from "./enumerate.ts"

const five = contentOf(5)
const three = contentOf(3)

/** For machines that have much else to do, in milliseconds. */
const patience = 300_000

/** An upload of five parts passes more than this; fewer would mean that some are no longer seen. */
const fewestPoints = 130

const stops = (title: string, endings: ReadonlyArray<Ending>) =>
  it.effect(
    `${title}, at every one of over ${fewestPoints} points`,
    () =>
      Effect.sync(() => {
        const { points, survived } = everyStop(five, endings)
        assert.isAbove(points, fewestPoints)
        assert.strictEqual(survived, points * endings.length)
      }),
    patience
  )

describe("an upload of five parts survives", () => {
  stops("a kill while what it has sent is lost", ["KilledAndCut"])
  stops("a kill while what it has sent is still carried out", ["KilledAndCarriedOut"])
  stops("a loss of power that keeps nothing that was not synced", ["PowerLost"])
  stops("a loss of power that keeps what chance keeps", killings.slice(3, 5))

  it.effect("the loss of every single answer", () =>
    Effect.sync(() => {
      const { survived } = everyStop(five, ["AnswerLost"])
      assert.strictEqual(survived, ["list", "initiate", "complete"].length + 5)
    })
  )
})

/** A process dies, and then the power fails: what the one had not made durable, the other takes away. */
const endings = (first: number): readonly [Ending, Ending] => [
  killings[first % 2] ?? "KilledAndCut",
  "PowerLost"
]

describe("an upload of three parts survives", () => {
  it.effect(
    "every pair of stops at requests and records: over 1,200 of them",
    () =>
      Effect.sync(() => {
        const { survived } = everyPair(three, isRequestOrRecord, (first) => [endings(first)])
        assert.isAbove(survived, 1_200)
      }),
    patience
  )
})
