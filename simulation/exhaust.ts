/**
 * `node simulation/exhaust.ts`: every pair of stop points of an upload of three
 * parts, in every pair of ways, whatever the points are. Takes its time; prints JSON.
 */
import { parseArgs } from "node:util"
import { contentOf } from "./crash.ts"
import type { Ending } from "./crash.ts"
import { everyPair, killings } from "./enumerate.ts"

const { values } = parseArgs({ options: { endings: { type: "string", default: "4" } } })
const endings = killings.slice(0, Number(values.endings))
const pairs = endings.flatMap((first) =>
  endings.map((second): readonly [Ending, Ending] => [first, second])
)
const start = performance.now()
const { points, survived } = everyPair(
  contentOf(3),
  () => true,
  () => pairs
)
const seconds = Math.round((performance.now() - start) / 1000)
console.log(JSON.stringify({ points, waysEach: endings.length, pairsSurvived: survived, seconds }))
