/** Looks at everything before the upload sends anything, and reports what is wrong. */
import { printable } from "@effect-oss/terminal/Text"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { NothingMatches, UsageError } from "../CliFailure.ts"
import type { ObjectUrl } from "../ObjectUrl.ts"
import { Output } from "../Output.ts"
import { jsonLine } from "../json.ts"
import type { LeftOutReason, Selection } from "./input.ts"
import type { Item, Items } from "./items.ts"

export interface Options {
  readonly url: ObjectUrl
  readonly selection: Selection
  readonly allowEmpty: boolean
  readonly json: boolean
}

interface Twice {
  readonly key: string
  readonly paths: readonly [string, string]
}

/**
 * Fails if two files have the same key, or if nothing matches. Reports what is
 * left out. Returns the number of files.
 */
export const survey = Effect.fnUntraced(function* (items: Items, options: Options) {
  const { url, json } = options
  const used = new Set<string>()
  // Names that Unicode considers equal count as one key.
  const owners = new Map<string, string>()
  const leftOut = new Map<LeftOutReason, number>()
  let files = 0
  let twice: Twice | undefined
  let unread: string | undefined
  const tell = yield* teller(json)
  yield* Stream.runForEach(items, (item) => {
    for (const pattern of item.patterns) used.add(pattern)
    if (item._tag === "LeftOut") {
      leftOut.set(item.reason, (leftOut.get(item.reason) ?? 0) + 1)
      return tell(item)
    }
    files++
    if (!item.usable) unread ??= item.path
    const form = item.request.key.normalize("NFC")
    const owner = owners.get(form)
    if (owner === undefined) owners.set(form, item.path)
    else if (item.usable) twice ??= { key: item.request.key, paths: [owner, item.path] }
    return Effect.void
  })
  if (twice !== undefined) return yield* collision(twice, url)
  const problem = emptiness(files, used, unread, options)
  if (problem !== undefined) return yield* problem
  yield* tellCount(leftOut, json)
  return files
})

const collision = ({ key, paths }: Twice, { bucket }: ObjectUrl) => {
  const [first, second] = paths
  return new UsageError({
    problem: `two files go to oss://${bucket}/${key}: ${first} and ${second}`,
    remedy: "upload each to a folder of its own, or the directories that they are in"
  })
}

/** Fails if a pattern matches nothing: a typing error could send secrets, or send nothing. */
const emptiness = (
  files: number,
  used: ReadonlySet<string>,
  unread: string | undefined,
  options: Options
) => {
  const { allowEmpty, selection } = options
  if (allowEmpty) return undefined
  for (const flag of ["include", "exclude"] as const) {
    for (const pattern of selection[flag]) {
      if (isUnclosed(pattern)) {
        return new NothingMatches({
          problem: `--${flag} "${pattern}": a bracket is not closed, so that it stands for itself`
        })
      }
      if (!used.has(pattern)) {
        const problem = `--${flag} "${pattern}" matches nothing`
        // The pattern may have been meant for this.
        return new NothingMatches({
          problem: unread === undefined ? problem : `${problem}, and ${unread} can't be read`
        })
      }
    }
  }
  return files === 0 ? new NothingMatches({ problem: "there is nothing to upload" }) : undefined
}

const isUnclosed = (pattern: string): boolean => /(?<!\\)\[[^\]]*$|(?<!\\)\{[^}]*$/.test(pattern)

/** The most lines about links. */
const mostLines = 10

const whyTold: Partial<Record<LeftOutReason, string>> = {
  LinkToDirectory: "a link to a directory; --links follow follows it",
  Cycle: "a link to a directory around it"
}

/** Reports each link to a directory and, with `json`, each special file. */
const teller = Effect.fnUntraced(function* (json: boolean) {
  const { out, error } = yield* Output
  let lines = 0
  return ({ path, reason }: Extract<Item, { readonly _tag: "LeftOut" }>) => {
    const why = whyTold[reason]
    if (json) {
      const told = why !== undefined || reason === "NotAFile"
      return told ? out(jsonLine({ _tag: "LeftOut", path, reason })) : Effect.void
    }
    if (why === undefined || ++lines > mostLines) return Effect.void
    return error(`left out: ${printable(path)}: ${why}\n`)
  }
})

/** Reports how many other entries are left out. */
const tellCount = Effect.fnUntraced(function* (
  leftOut: ReadonlyMap<LeftOutReason, number>,
  json: boolean
) {
  if (json) return
  const { error } = yield* Output
  const count = (reason: LeftOutReason) => leftOut.get(reason) ?? 0
  const links = count("LinkToDirectory") + count("Cycle") - mostLines
  if (links > 0) yield* error(`left out: ${links} more links to directories\n`)
  const special = count("NotAFile")
  const what = special === 1 ? "pipe, socket or device" : "pipes, sockets or devices"
  if (special > 0) yield* error(`left out: ${special} ${what}\n`)
  const directories = count("Directory")
  if (directories > 0) yield* error(`left out: ${directories} directories of --files-from\n`)
})
