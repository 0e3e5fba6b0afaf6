/** Nothing is lost, wherever an upload is stopped: every point, not a sample. `stream.test.ts` does the same for a stream. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { contentOf } from "./crash.ts"
import type { Ending, Subject } from "./crash.ts"
import { everyStop, killings } from "./enumerate.ts"

const five: Subject = { content: contentOf(5), access: "RandomAccess" }

/** The time-out, in milliseconds, for machines with a high load. */
const patience = 300_000

/** An upload of five parts passes more points than this; fewer would mean that the simulation misses some. */
const fewestPoints = 130

const stops = (title: string, endings: ReadonlyArray<Ending>) =>
  it.effect(
    `${title}, at every one of over ${fewestPoints} points`,
    () =>
      Effect.sync(() => {
        const { survived } = everyStop(five, endings)
        assert.isAbove(survived, fewestPoints * endings.length)
      }),
    patience
  )

describe("an upload of five parts survives", () => {
  stops("a kill while what it has sent is lost or still carried out", killings.slice(0, 2))
  stops(
    "a loss of power that keeps nothing that was not synced, or what chance keeps",
    killings.slice(2)
  )
  stops("an interruption, after which it holds nothing", ["Interrupted"])

  it.effect("the loss of every single answer", () =>
    Effect.sync(() => {
      const { survived } = everyStop(five, ["AnswerLost"])
      assert.strictEqual(survived, ["initiate", "complete"].length + 5)
    })
  )
})
