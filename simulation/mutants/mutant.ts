import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** A seeded bug: a short text of one file, what replaces it, and what breaks. */
export interface Mutant {
  /** From the root of the workspace. */
  readonly file: string
  /** Occurs once in the file. */
  readonly find: string
  readonly replace: string
  /** One line: the promise that breaks. */
  readonly breaks: string
}

/** The seeded bugs of one folder, and the tests that concern it. */
export interface Patches {
  readonly folder: string
  /** What vitest filters its test files by. */
  readonly tests: ReadonlyArray<string>
  /** Of a file of the folder: the tests that are likely to find its bugs, and run first. */
  readonly named?: Readonly<Record<string, ReadonlyArray<string>>>
  /** Arguments of `simulate`; `none` if worlds don't use this code. Default: no arguments. */
  readonly worlds?: ReadonlyArray<string> | "none"
  readonly bugs: ReadonlyArray<
    readonly [file: string, find: string, replace: string, breaks: string]
  >
}

/** A patch that no longer applies. */
export class Stale extends Error {}

/** The seeded bugs of a folder, each where its text is: code moves from file to file. */
export const mutantsOf = (
  root: string,
  { folder, bugs }: Patches
): ReadonlyArray<Mutant | Stale> => {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts")
  )
  return bugs.map(([hint, find, replace, breaks]) => {
    const mutant = { file: `${folder}/${hint}`, find, replace, breaks }
    if (existsSync(join(root, mutant.file)) && places(root, mutant) === 1) return mutant
    const elsewhere = files
      .map((file) => `${folder}/${file}`)
      .filter((file) => places(root, { ...mutant, file }) === 1)
    const [file, ...others] = elsewhere
    return file !== undefined && others.length === 0
      ? { ...mutant, file }
      : new Stale(`${mutant.file}: ${elsewhere.length} files have this text once: ${find}`)
  })
}

/** Patterns of tests that match no file. */
export const missingTests = (
  root: string,
  { tests, named = {} }: Patches
): ReadonlyArray<string> => {
  const all = readdirSync(join(root, "packages")).flatMap((name) => {
    const folder = `packages/${name}/test`
    if (!existsSync(join(root, folder))) return []
    const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    return files.filter((file) => file.endsWith(".test.ts")).map((file) => `${folder}/${file}`)
  })
  return [...tests, ...Object.values(named).flat()].filter(
    (pattern) => !all.some((file) => file.includes(pattern))
  )
}

const places = (root: string, { file, find }: Mutant): number =>
  readFileSync(join(root, file), "utf8").split(find).length - 1

/** The content of a file with the bug in it. */
export const apply = (content: string, { find, replace }: Mutant): string =>
  content.replace(find, () => replace)
