/**
 * `node simulation/exhaust.ts [--first N] [--second N]`: every pair of stop
 * points of an upload of three parts, whatever the points are, each in the first
 * so many ways of `killings`. Takes its time; prints JSON.
 */
import { parseArgs } from "node:util"
import { contentOf } from "./crash.ts"
import type { Ending } from "./crash.ts"
import { everyPair, killings } from "./enumerate.ts"

const { values } = parseArgs({
  options: {
    first: { type: "string", default: "2" },
    second: { type: "string", default: "3" }
  }
})
const firsts = killings.slice(0, Number(values.first))
const seconds = killings.slice(0, Number(values.second))
const pairs = firsts.flatMap((first) =>
  seconds.map((second): readonly [Ending, Ending] => [first, second])
)
const start = performance.now()
const { points, survived } = everyPair(
  contentOf(3),
  () => true,
  () => pairs
)
const took = Math.round((performance.now() - start) / 1000)
console.log(JSON.stringify({ points, ways: pairs.length, pairsSurvived: survived, seconds: took }))
