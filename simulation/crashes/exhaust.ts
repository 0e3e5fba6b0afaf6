/**
 * `node simulation/crashes/exhaust.ts [--parts N] [--stream] [--first N] [--second N]`:
 * stops an upload at every pair of its points. The first stop has each of the
 * first N `killings`, and a lost answer; the second has each of the first N
 * `killings`, a lost answer, and an interruption. Runs for minutes; prints JSON.
 */
import { parseArgs } from "node:util"
import { contentOf } from "./crash.ts"
import type { Ending } from "./crash.ts"
import { everyPair, killings } from "./enumerate.ts"

const { values } = parseArgs({
  options: {
    parts: { type: "string", default: "3" },
    stream: { type: "boolean", default: false },
    first: { type: "string", default: "6" },
    second: { type: "string", default: "6" }
  }
})
const firsts: ReadonlyArray<Ending> = [...killings.slice(0, Number(values.first)), "AnswerLost"]
const seconds: ReadonlyArray<Ending> = [
  ...killings.slice(0, Number(values.second)),
  "AnswerLost",
  "Interrupted"
]
const ways = firsts.flatMap((first) =>
  seconds.map((second): readonly [Ending, Ending] => [first, second])
)
const start = performance.now()
const access = values.stream ? "Sequential" : "RandomAccess"
const { survived, ran } = everyPair({ content: contentOf(Number(values.parts)), access }, ways)
const took = Math.round((performance.now() - start) / 1000)
console.log(JSON.stringify({ ways: ways.length, pairsSurvived: survived, ran, seconds: took }))
