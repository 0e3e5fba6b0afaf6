/**
 * Runs comparisons, `node bench/run.ts [--check | --all] [--markdown] [--short]
 * [name …]`: all of them, or those named. Tables go to standard error, JSON to
 * standard output, a line a comparison.
 *
 * - `--check` fails if one has become worse than the figures that are kept in
 *   figures.json, three times in a row; without names, it checks the quick ones.
 * - `--all` runs bench/pending.ts too, after the comparisons.
 * - `--markdown` prints one table of all ratios last, for README.md.
 * - `--short` runs each once, at a sixteenth of its size: it shows that they work.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Check from "./src/Check.ts"
import * as Comparison from "./src/Comparison.ts"
import { comparisons, quick } from "./src/comparisons.ts"
import { place } from "./src/place.ts"

const flag = { type: "boolean", default: false } as const
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: flag, all: flag, markdown: flag, short: flag }
})
const isLong = (name: string) => name !== "smoke" && !quick.includes(name)
const standard = values.check ? quick : Object.keys(comparisons).filter(isLong)
const names = positionals.length > 0 ? positionals : standard
const share = values.short ? 1 / 16 : 1

const one = Effect.fnUntraced(function* (name: string) {
  const make = comparisons[name]
  if (make === undefined) {
    return yield* Effect.fail(`there is no "${name}": ${Object.keys(comparisons).join(", ")}`)
  }
  const comparison = make(yield* place(share))
  const short = { ...comparison, rounds: 1, title: `A sixteenth of: ${comparison.title}` }
  const outcome = yield* Comparison.measure(values.short ? short : comparison)
  yield* Console.error(Comparison.table(outcome))
  yield* Console.log(JSON.stringify(outcome))
  return outcome
}, Effect.scoped)

/** Another program can spoil all rounds of a row: what has become slower is measured twice more. */
const check = Effect.fnUntraced(function* (names: ReadonlyArray<string>) {
  const kept = JSON.parse(readFileSync(join(import.meta.dirname, "figures.json"), "utf8"))
  const problemsOf = Effect.fnUntraced(function* (name: string) {
    const problems = Check.problems(kept, [yield* one(name)])
    yield* Effect.forEach(problems, (problem) => Console.error(problem))
    return problems
  })
  const found = yield* Effect.forEach(names, (name) =>
    Effect.repeat(problemsOf(name), { while: (problems) => problems.length > 0, times: 2 })
  )
  if (found.flat().length > 0) return yield* Effect.fail("it has become slower")
})

/** The seconds that each question takes, as it prints them itself. */
const pending = Effect.sync((): ReadonlyArray<string> => {
  const counts = [10_000, 100_000].map((count) => String(count * share))
  const script = join(import.meta.dirname, "pending.ts")
  const printed = execFileSync(process.execPath, [script, ...counts], { encoding: "utf8" })
  const lines = printed.split("\n").filter((line) => line.startsWith("{"))
  process.stdout.write(`${lines.join("\n")}\n`)
  const targets = [
    [0.5, 0.2],
    [5, 2]
  ]
  return lines.map((line, index) => {
    const { checkpoints, list } = JSON.parse(line)
    const [least, aim] = targets[index] ?? []
    return `| \`pending\`: to list ${checkpoints} checkpoints, s | ${list} | ${least} | ${aim} | 3 |`
  })
})

const measure = Effect.gen(function* () {
  const outcomes = yield* Effect.forEach(names, one)
  const last = values.all ? yield* pending : []
  if (values.markdown) {
    const rows = [...Comparison.header, ...outcomes.flatMap(Comparison.rows), ...last]
    yield* Console.log(rows.join("\n"))
  }
})

NodeRuntime.runMain(values.check ? check(names) : measure)
