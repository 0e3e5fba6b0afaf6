/**
 * Runs comparisons, `node bench/run.ts [name …]`: all of them, or those named.
 * Tables go to standard error, JSON to standard output, a line a comparison.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Comparison from "./src/Comparison.ts"
import { comparisons, place } from "./src/comparisons.ts"

const named = process.argv.slice(2)
const names = named.length > 0 ? named : Object.keys(comparisons).filter((name) => name !== "smoke")

const one = Effect.fnUntraced(function* (name: string) {
  const make = comparisons[name]
  if (make === undefined) {
    return yield* Effect.fail(`there is no "${name}": ${Object.keys(comparisons).join(", ")}`)
  }
  const outcome = yield* Comparison.measure(make(yield* place))
  yield* Console.error(Comparison.table(outcome))
  yield* Console.log(JSON.stringify(outcome))
}, Effect.scoped)

Effect.forEach(names, one, { discard: true }).pipe(NodeRuntime.runMain)
