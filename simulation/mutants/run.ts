/**
 * `pnpm mutants [--check] [--group A,B] [--only TEXT] [--from N] [--count N]
 * [--tests A,B] [--quick] [--seconds S]`: puts one seeded bug after another into
 * a copy of the workspace, and runs what may find it, the fastest first: the
 * tests that the patches name for its file, the other tests of its group, S
 * seconds of worlds, and every stop point. Before that, they have to pass
 * without any bug. Prints each result as it is found, and a summary as JSON at
 * the end; Ctrl-C ends the command with the summary of what was run.
 *
 * `--quick` runs the tests alone, and `--tests` runs these and nothing else.
 * `--check` only looks whether each patch still applies. A patch that does not
 * fails the command in either case: mend or remove it.
 */
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { apply, missingTests, mutantsOf, Stale } from "./mutant.ts"
import type { Mutant, Patches } from "./mutant.ts"
import { all } from "./patches/index.ts"
import { reasons } from "./survivors.ts"

const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    from: { type: "string", default: "0" },
    count: { type: "string", default: "Infinity" },
    only: { type: "string", default: "" },
    group: { type: "string", default: "" },
    tests: { type: "string", default: "" },
    quick: { type: "boolean", default: false },
    seconds: { type: "string", default: "20" }
  }
})

const listed = (text: string) => text.split(",").filter((name) => name !== "")
const groups = listed(values.group)
const unknown = groups.find((name) => !Object.hasOwn(all, name))
if (unknown !== undefined) throw new Error(`there is no group ${unknown}: ${Object.keys(all)}`)
const asked = listed(values.tests)

const root = fileURLToPath(new URL("../..", import.meta.url))
const found = Object.entries(all).flatMap(([name, patches]) =>
  groups.length > 0 && !groups.includes(name)
    ? []
    : mutantsOf(root, patches).map((mutant) => ({ mutant, patches }))
)
const stale = found.flatMap(({ mutant }) => (mutant instanceof Stale ? [mutant.message] : []))
const mutants = found
  .flatMap(({ mutant, patches }) => (mutant instanceof Stale ? [] : [{ mutant, patches }]))
  .filter(({ mutant }) => `${mutant.file} ${mutant.breaks}`.includes(values.only))
  .slice(Number(values.from), Number(values.from) + Number(values.count))

const missing = Object.values(all).flatMap((patches) => missingTests(root, patches))
for (const message of stale) console.error(`stale: ${message}`)
for (const pattern of missing) console.error(`no test has this in its path: ${pattern}`)
if (stale.length > 0 || missing.length > 0) process.exitCode = 1

/** A run that takes longer hangs, in milliseconds: the bug is found. */
const limit = 300_000

/** Whether a command of the copy fails, or hangs. */
const fails = (copy: string, args: ReadonlyArray<string>): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: copy, stdio: "ignore", detached: true })
    const { pid } = child
    const timer = setTimeout(() => {
      if (pid !== undefined) process.kill(-pid, "SIGKILL")
    }, limit)
    child.on("close", (code) => {
      clearTimeout(timer)
      resolve(code !== 0)
    })
  })

/** Whether tests of the copy fail; none at all is a fault of the patches. */
const testsFail = (copy: string, tests: ReadonlyArray<string>) => {
  const vitest = join(copy, "node_modules/vitest/vitest.mjs")
  const config = ["--config", "simulation/mutants/vitest.config.ts"]
  return fails(copy, [vitest, "run", ...config, "--bail", "1", "--reporter", "dot", ...tests])
}

/** What finds a bug of a file; undefined: nothing. */
const findBug = async (copy: string, patches: Patches, file?: string) => {
  const { tests, worlds = [], named = {} } = patches
  if (asked.length > 0) return (await testsFail(copy, asked)) ? "tests" : undefined
  const first = file === undefined ? undefined : named[file.slice(patches.folder.length + 1)]
  if (first !== undefined && (await testsFail(copy, first))) return "named tests"
  if (await testsFail(copy, tests)) return "tests"
  if (values.quick || worlds === "none") return undefined
  const simulate = ["simulation/worlds/simulate.ts", "--worlds", "100000", "--jobs", "1"]
  const time = ["--seconds", values.seconds]
  if (await fails(copy, [...simulate, ...worlds, ...time])) return "worlds"
  return (await testsFail(copy, ["simulation/crashes"])) ? "crashes" : undefined
}

const isExplained = ({ file, find }: Mutant) =>
  reasons.some((reason) => file.endsWith(reason.file) && find === reason.find)

if (!values.check) {
  const copy = mkdtempSync(join(tmpdir(), "effect-oss-mutants-"))
  const git = (...args: ReadonlyArray<string>) => execFileSync("git", ["-C", root, ...args])
  git("worktree", "add", "--detach", "--force", copy, "HEAD")
  try {
    const install = ["-y", "pnpm@12", "install", "--prefer-offline", "--frozen-lockfile"]
    execFileSync("npx", install, { cwd: copy, stdio: "ignore" })
    for (const patches of new Set(mutants.map(({ patches }) => patches))) {
      const finder = await findBug(copy, patches)
      if (finder !== undefined) throw new Error(`${patches.folder}: ${finder} fail without any bug`)
    }
    const by: Record<string, number> = { "named tests": 0, tests: 0, worlds: 0, crashes: 0 }
    let stopped = false
    let run = 0
    process.once("SIGINT", () => {
      stopped = true
    })
    const survivors: Array<Mutant & { readonly explained: boolean }> = []
    for (const { mutant, patches } of mutants) {
      if (stopped) break
      run++
      const begin = performance.now()
      const path = join(copy, mutant.file)
      const sound = readFileSync(path, "utf8")
      writeFileSync(path, apply(sound, mutant))
      const finder = await findBug(copy, patches, mutant.file)
      writeFileSync(path, sound)
      if (finder !== undefined) by[finder] = (by[finder] ?? 0) + 1
      else survivors.push({ ...mutant, explained: isExplained(mutant) })
      const { file, breaks } = mutant
      const seconds = Math.round((performance.now() - begin) / 1000)
      console.error(`${finder ?? "SURVIVED"}, ${seconds} s: ${file}: ${breaks}`)
    }
    const killed = run - survivors.length
    const score = Math.round((1000 * killed) / run) / 10
    console.log(JSON.stringify({ mutants: mutants.length, run, killed, score, by, survivors }))
    if (survivors.some(({ explained }) => !explained)) process.exitCode = 1
  } finally {
    git("worktree", "remove", "--force", copy)
    rmSync(copy, { recursive: true, force: true })
  }
} else {
  console.log(
    JSON.stringify({ mutants: mutants.length, stale: stale.length, missingTests: missing.length })
  )
}
