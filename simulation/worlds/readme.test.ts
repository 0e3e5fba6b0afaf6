import { assert, describe, it } from "@effect/vitest"
import { readFileSync, readdirSync } from "node:fs"
import * as Conditions from "./conditions/index.ts"
import { excuses } from "./invariants/excuses.ts"
import * as Invariants from "./invariants/index.ts"
import type { History } from "./invariants/history.ts"

/** Without the padding of its tables. */
const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8").replaceAll(/ +/g, " ")
const folder = new URL("invariants/", import.meta.url)

/** Files of the folder that check no promise. */
const others = new Set(["excuses.ts", "history.ts", "index.ts", "invariant.ts", "journals.ts"])

describe("the simulation's README", () => {
  const files = readdirSync(folder).filter((file) => !others.has(file))

  it.each(files)("has the promise of %s", async (file) => {
    const { make }: { readonly make: (history: History) => { readonly promise: string } } =
      await import(new URL(file, folder).href)
    const { promise } = make({ trace: {}, count: {} } as never)
    assert.include(readme, `| \`${file.replace(".ts", "")}\` | ${promise} |`)
    assert.include(Invariants.all, make)
  })

  it.each(Conditions.all)("has the condition %s, and whether it is held", (name) => {
    const [held = "", notYet = ""] = readme.split("#### Not yet held")
    assert.include(held, `| \`${name}\` |`)
    const [table = ""] = notYet.split("### Promises")
    assert.strictEqual(table.includes(`\`${name}\``), !Conditions.rules[name].held)
  })

  it.each(Object.values(excuses))("has the excuse: %s", (excuse) => {
    assert.include(readme, `| \`uploadsAreKnown\` | ${excuse} |`)
  })
})
