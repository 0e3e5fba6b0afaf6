/**
 * Whatever you can set or read has a doc comment, and a page that you would look
 * into names it: options, flags, events with their fields, and reasons of errors.
 *
 * What counts is what docs/api.md lists: every optional member, which is an option
 * that you may leave out or a fact that may be missing; every field of events,
 * results and errors; every reason. What doesn't count: the contracts for authors
 * of test suites (`testing/`), and what a client and a store hand to the library
 * (`Body`, `Checkpoint`, `OssError.Refusal`), which only their authors fill in; and
 * the flags of `effect-oss-emulator`, which `effect-oss emulator` has too.
 */
import { OssError, Source, CheckpointStore, UploadEvent } from "@effect-oss/core"
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { Completions } from "effect/cli"
import { command } from "../packages/cli/src/Command.ts"
import { root } from "./support/command.ts"
import { blocks, pages } from "./support/documents.ts"

interface Member {
  readonly place: string
  readonly name: string
  readonly isDocumented: boolean
}

const ofAuthors = /^core\/(?:testing\/|Body |Checkpoint |OssError Refusal )/

/** Fields of these are read by every program that watches an upload. */
const read = /^core\/(?:UploadEvent (?:UploadResult|Progress)|UploadMany Totals) $/

/** The members that count, out of the reference. */
const membersIn = (text: string): ReadonlyArray<Member> => {
  const members: Array<Member> = []
  let [module, entry, category] = ["", "", ""]
  for (const line of text.split("\n")) {
    const heading = /^### \[`@effect-oss\/([^`]+)`/.exec(line)
    if (heading !== null) module = heading[1]!
    const named = /^- `(\w+)` \((\w+)\)/.exec(line)
    if (named !== null) [, entry, category] = named as unknown as [string, string, string]
    const member = /^ {2}- `(\w+)(\??): [^`]*`(: .)?/.exec(line)
    if (member === null) continue
    const [, name = "", optional, doc] = member
    const place = `${module} ${entry} `
    if (ofAuthors.test(place) || name === "_tag") continue
    if (optional === "" && category !== "errors" && !read.test(place)) continue
    members.push({ place, name, isDocumented: doc !== undefined })
  }
  return members
}

/** What pages show as code: `name`, or in a block. */
const codeOfPages = Effect.map(pages, (all) =>
  all
    .filter(({ file }) =>
      /^(?:README|docs\/.*|examples\/README|packages\/.*README)\.md$/.test(file)
    )
    .filter(({ file }) => !["docs/api.md", "docs/conformance.md"].includes(file))
    .flatMap((page) => {
      const prose = page.text.replaceAll(/^```[^]*?^```/gm, "")
      const inline = Array.from(prose.matchAll(/`([^`\n]+)`/g), ([, code = ""]) => code)
      const shown = ["ts", "tsx", "sh"].flatMap((language) => blocks(page, language))
      return inline.concat(shown.map(({ code }) => code))
    })
    .join("\n")
)

const isNamedIn = (code: string) => (name: string) =>
  new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(code)

interface Flagged {
  readonly name: string
  readonly flags: ReadonlyArray<{ readonly name: string; readonly description: string | undefined }>
  readonly subcommands: ReadonlyArray<Flagged>
}

/** The flags of a command, and of all below it. */
const flagsOf = (of: Flagged): ReadonlyArray<{ name: string; described: boolean; of: string }> => [
  ...of.flags.map(({ name, description }) => ({
    name,
    described: description !== undefined && description !== "",
    of: of.name
  })),
  ...of.subcommands.flatMap(flagsOf)
]

const eventsAndFields = Object.entries(UploadEvent.UploadEvent.cases).flatMap(([tag, event]) =>
  [tag].concat(Object.keys(event.fields).filter((field) => field !== "_tag"))
)

const reasons = [
  ...OssError.Reason.members,
  ...Source.SourceError.fields.reason.members,
  ...CheckpointStore.CheckpointError.fields.reason.members
].map((reason) => reason.fields._tag.schema.literal)

layer(NodeServices.layer, { excludeTestServices: true })("what you can set or read", (it) => {
  const members = FileSystem.FileSystem.use((fs) => fs.readFileString(`${root}/docs/api.md`)).pipe(
    Effect.map(membersIn)
  )

  it.effect("has a doc comment", () =>
    Effect.gen(function* () {
      const all = yield* members
      assert.isAbove(all.length, 200)
      const bare = all.filter(({ isDocumented }) => !isDocumented)
      assert.deepStrictEqual(
        bare.map(({ place, name }) => place + name),
        []
      )
    })
  )

  it.effect("is named by a page", () =>
    Effect.gen(function* () {
      const isNamed = isNamedIn(yield* codeOfPages)
      const silent = (yield* members).filter(({ name }) => !isNamed(name))
      assert.deepStrictEqual(
        silent.map(({ place, name }) => place + name),
        []
      )
    })
  )

  it.effect("is named by a page, if it is a flag, an event, its field or a reason", () =>
    Effect.gen(function* () {
      const code = yield* codeOfPages
      const flags = flagsOf(Completions.fromCommand(command))
      assert.isAbove(flags.length, 60)
      const silent = [
        ...flags.filter(({ described }) => !described).map((flag) => `${flag.of}: no description`),
        ...flags
          .filter(({ name }) => !isNamedIn(code)(`--${name}`))
          .map((f) => `${f.of} --${f.name}`),
        ...[...eventsAndFields, ...reasons].filter((name) => !isNamedIn(code)(name))
      ]
      assert.deepStrictEqual(silent, [])
    })
  )

  it.effect("has a doc comment, if it is an event or its field", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const text = yield* fs.readFileString(`${root}/packages/core/src/UploadEvent.ts`)
      const events = /TaggedUnion\(\{([^]*?)\n\}\)/.exec(text)?.[1] ?? ""
      const found = Array.from(
        events.matchAll(/(\*\/\n|\n)(?: {2}| {4})(\w+): /g),
        ([, before, name]) => [name, before !== "\n"] as const
      )
      assert.includeMembers(
        found.map(([name]) => name),
        eventsAndFields.filter(
          (name) => !["durable", "sent", "total", "rate", "eta"].includes(name)
        )
      )
      assert.deepStrictEqual(
        found.filter(([, isDocumented]) => !isDocumented),
        []
      )
    })
  )
})
