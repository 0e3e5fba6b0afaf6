/** Nothing is lost, wherever an upload is stopped, and stopped again. `exhaust.ts` takes more endings. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { contentOf } from "./crash.ts"
import type { Ending, Subject } from "./crash.ts"
import { everyPair } from "./enumerate.ts"

const three: Subject = { content: contentOf(3), access: "RandomAccess" }

/** The time-out, in milliseconds, for machines with a high load. */
const patience = 300_000

const pairs = (title: string, least: number, first: Ending, second: Ending) =>
  it.effect(
    `${title}: over ${least} pairs`,
    () =>
      Effect.sync(() => {
        assert.isAbove(everyPair(three, [[first, second]]).survived, least)
      }),
    patience
  )

describe("an upload of three parts survives, wherever they come,", () => {
  pairs("a kill, and another one", 12_000, "KilledAndCut", "KilledAndCut")
  pairs("a kill, and a loss of power", 12_000, "KilledAndCarriedOut", "PowerLost")
  pairs("a lost answer, and a kill", 250, "AnswerLost", "KilledAndCut")
  pairs("a kill, and a lost answer", 450, "KilledAndCut", "AnswerLost")
  pairs("two lost answers", 16, "AnswerLost", "AnswerLost")
})
