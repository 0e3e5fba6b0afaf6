/**
 * `pnpm mutants [--check] [--from N] [--count N] [--only TEXT] [--seconds S]`:
 * puts one seeded bug after another into a copy of the workspace, and runs the
 * tests that concern it, then S seconds of worlds, then every stop point. Before that, they have to
 * pass without any bug. Prints each result as it is found, and a summary as
 * JSON at the end.
 *
 * `--check` only looks whether each patch still applies. A patch that does not
 * fails the command in either case: mend or remove it.
 */
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { apply, mutantsOf, Stale } from "./mutant.ts"
import type { Mutant, Patches } from "./mutant.ts"
import { all } from "./patches/index.ts"
import { reasons } from "./survivors.ts"

const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    from: { type: "string", default: "0" },
    count: { type: "string", default: "Infinity" },
    only: { type: "string", default: "" },
    seconds: { type: "string", default: "20" }
  }
})

const root = fileURLToPath(new URL("../..", import.meta.url))
const found = all.flatMap((patches) =>
  mutantsOf(root, patches).map((mutant) => ({ mutant, patches }))
)
const stale = found.flatMap(({ mutant }) => (mutant instanceof Stale ? [mutant.message] : []))
const mutants = found
  .flatMap(({ mutant, patches }) => (mutant instanceof Stale ? [] : [{ mutant, patches }]))
  .filter(({ mutant }) => `${mutant.file} ${mutant.breaks}`.includes(values.only))
  .slice(Number(values.from), Number(values.from) + Number(values.count))

for (const message of stale) console.error(`stale: ${message}`)
if (stale.length > 0) process.exitCode = 1

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

/** What finds a bug; undefined: nothing. */
const findBug = async (copy: string, { tests, worlds = true }: Patches) => {
  const vitest = join(copy, "node_modules/vitest/vitest.mjs")
  const options = ["run", "--bail", "1", "--reporter", "dot", ...tests]
  if (await fails(copy, [vitest, ...options])) return "tests"
  const simulate = ["simulation/worlds/simulate.ts", "--worlds", "100000"]
  const time = ["--seconds", values.seconds]
  if (!worlds) return undefined
  if (await fails(copy, [...simulate, ...time])) return "worlds"
  const stops = ["run", "--bail", "1", "--reporter", "dot", "simulation/crashes"]
  return (await fails(copy, [vitest, ...stops])) ? "crashes" : undefined
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
    const by: Record<string, number> = { tests: 0, worlds: 0, crashes: 0 }
    const survivors: Array<Mutant & { readonly explained: boolean }> = []
    for (const { mutant, patches } of mutants) {
      const path = join(copy, mutant.file)
      const sound = readFileSync(path, "utf8")
      writeFileSync(path, apply(sound, mutant))
      const finder = await findBug(copy, patches)
      writeFileSync(path, sound)
      if (finder !== undefined) by[finder] = (by[finder] ?? 0) + 1
      else survivors.push({ ...mutant, explained: isExplained(mutant) })
      const { file, breaks } = mutant
      console.error(`${finder ?? "SURVIVED"}: ${file}: ${breaks}`)
    }
    const killed = mutants.length - survivors.length
    const score = Math.round((1000 * killed) / mutants.length) / 10
    console.log(JSON.stringify({ mutants: mutants.length, killed, score, by, survivors }))
    if (survivors.some(({ explained }) => !explained)) process.exitCode = 1
  } finally {
    git("worktree", "remove", "--force", copy)
    rmSync(copy, { recursive: true, force: true })
  }
} else {
  console.log(JSON.stringify({ mutants: mutants.length, stale: stale.length }))
}
