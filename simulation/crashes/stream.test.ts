/** Nothing is lost, wherever an upload of a stream is stopped: every point, not a sample. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { contentOf } from "./crash.ts"
import type { Subject } from "./crash.ts"
import { everyStop, killings } from "./enumerate.ts"

const stream: Subject = { content: contentOf(5), access: "Sequential" }

/** The time-out, in milliseconds, for machines with a high load. */
const patience = 300_000

/** An upload of five parts passes more points than this; fewer would mean that the simulation misses some. */
const fewestPoints = 130

describe("an upload of a stream of five parts survives", () => {
  it.effect(
    `every way to stop it, at every one of over ${fewestPoints} points`,
    () =>
      Effect.sync(() => {
        const { survived } = everyStop(stream, [...killings, "Interrupted", "AnswerLost"])
        assert.isAbove(survived, fewestPoints * (killings.length + 1))
      }),
    patience
  )
})
