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
  /** Whether worlds use this code. Default: true. */
  readonly worlds?: boolean
  readonly bugs: ReadonlyArray<
    readonly [file: string, find: string, replace: string, breaks: string]
  >
}

export const mutantsOf = ({ folder, bugs }: Patches): ReadonlyArray<Mutant> =>
  bugs.map(([file, find, replace, breaks]) => ({
    file: `${folder}/${file}`,
    find,
    replace,
    breaks
  }))

/** The file with the bug; fails loudly where the patch no longer applies exactly once. */
export const apply = (content: string, { file, find, replace }: Mutant): string => {
  const places = content.split(find).length - 1
  if (places !== 1) throw new Stale(`${file}: found ${places} times, not once: ${find}`)
  return content.replace(find, () => replace)
}

/** A patch that no longer applies. */
export class Stale extends Error {}
