/**
 * Runs comparisons, `node bench/run.ts [--check] [name …]`: all of them, or
 * those named. Tables go to standard error, JSON to standard output, a line a
 * comparison. With `--check` it fails if one has become worse than the figures
 * that are kept in figures.json; without names, it checks the quick ones.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Check from "./src/Check.ts"
import * as Comparison from "./src/Comparison.ts"
import { comparisons, place, quick } from "./src/comparisons.ts"

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean", default: false } }
})
const isLong = (name: string) => name !== "smoke" && !quick.includes(name)
const standard = values.check ? quick : Object.keys(comparisons).filter(isLong)
const names = positionals.length > 0 ? positionals : standard

const one = Effect.fnUntraced(function* (name: string) {
  const make = comparisons[name]
  if (make === undefined) {
    return yield* Effect.fail(`there is no "${name}": ${Object.keys(comparisons).join(", ")}`)
  }
  const outcome = yield* Comparison.measure(make(yield* place))
  yield* Console.error(Comparison.table(outcome))
  yield* Console.log(JSON.stringify(outcome))
  return outcome
}, Effect.scoped)

const check = Effect.fnUntraced(function* (outcomes: ReadonlyArray<Comparison.Outcome>) {
  const kept = JSON.parse(readFileSync(join(import.meta.dirname, "figures.json"), "utf8"))
  const problems = Check.problems(kept, outcomes)
  yield* Effect.forEach(problems, (problem) => Console.error(problem))
  if (problems.length > 0) return yield* Effect.fail("it has become slower")
})

Effect.forEach(names, one).pipe(
  Effect.flatMap((outcomes) => (values.check ? check(outcomes) : Effect.void)),
  NodeRuntime.runMain
)
