/**
 * What pages have their readers type. The walkthrough types most of it. Here each
 * line is one that is known: of ours, the real command parses it; of npm, it
 * names versions that go together, and whatever the page's programs import.
 */
import { Screen } from "@effect-oss/terminal"
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer, Schema } from "effect"
import { CliError, Command, Completions } from "effect/cli"
import { command } from "../packages/cli/src/Command.ts"
import { TestConsole } from "effect/testing"
import { Output } from "../packages/cli/src/internal/Output.ts"
import { isBuiltin } from "node:module"
import { root } from "./support/command.ts"
import { blocks, matching, pages } from "./support/documents.ts"
import type { Document } from "./support/documents.ts"

/** A line that a reader types. */
interface Line {
  readonly file: string
  readonly text: string
}

/** With what is continued by a backslash. */
const linesOf = (page: Document): ReadonlyArray<Line> =>
  blocks(page, "sh")
    .flatMap(({ code }) =>
      code
        .replaceAll(/\\\n\s*/g, "")
        .trim()
        .split("\n")
    )
    .map((text) => ({ file: page.file, text: text.trim() }))

/** Pages about how it is made name commands, too. */
const all = Effect.map(Effect.all([pages, matching("{bench,simulation}/*.md")]), (documents) =>
  documents.flat()
)

/** Words as a shell sees them. */
const words = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g), ([word]) =>
    word.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2")
  )

const ours =
  /(?<=^|[\s`])(?:npx -y pnpm@12 |npx -y |npx )?(?:@effect-oss\/)?(effect-oss(?:-emulator)?|emulator)(?= )/

/** The commands of this project in a line, from their names to the end or the next word of the shell. */
const oursIn = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text
    .split(/ (?:\||\|\||&&|;|>>?) |; /)
    .map((part) => part.replace(/^(?:until|while|if) /, ""))
    .flatMap((part) => {
      const found = ours.exec(part)
      if (found === null || found.index > 0) return []
      return [[found[1]!, ...words(part.slice(found[0].length))]]
    })

const isParsed = "it is parsed"
const parsed = Effect.fail(new CliError.ValidationError({ message: isParsed }))
const config = { version: "0", renderErrors: false }

const parse = Command.runWith(
  Command.validate(command, () => parsed),
  config
)

const silent = Layer.mock(Output, { screen: Screen.make({ write: () => Effect.void }) })

/** What the real command says of these arguments; it is never run. */
const complaints = ([name, ...args]: ReadonlyArray<string>) =>
  // The emulator's own command has the flags of `effect-oss emulator`.
  parse(name === "effect-oss" ? args : ["emulator", ...args]).pipe(
    Effect.as<ReadonlyArray<string>>([]),
    Effect.catch((error) =>
      Effect.succeed(
        "errors" in error ? error.errors.map(({ message }) => message) : [error.message]
      )
    ),
    Effect.map((messages) => messages.filter((message) => message !== isParsed)),
    // With what is wrong comes the help.
    Effect.provide([TestConsole.layer, silent])
  )

/** What else is typed, and by which test. */
const others: ReadonlyArray<RegExp> = [
  // Of the workspace: that they exist is tested with the documents.
  /^npx (?:-y )?pnpm@12 (?:install|[a-z:]+)\b/,
  /^(?:OSS_BUCKET=\w+|SEEDS=[\d-]+|CONFORMANCE_.*) npx (?:-y )?pnpm@12 (?:exec |vitest )/,
  // The walkthrough types them.
  /^(?:export OSS_|head -c |set -o pipefail$)/,
  // The recipes' own tests do.
  /^npx (?:esbuild functions\.ts|vitest run$)/
]

/** Of pnpm itself, or of a package that it runs. */
const ofPnpm: ReadonlySet<string> = new Set(["install", "exec", "vitest", "publish"])

const Manifest = Schema.fromJsonString(
  Schema.Struct({
    name: Schema.String,
    scripts: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
    dependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
    devDependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
    peerDependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
  })
)

const manifest = (file: string) =>
  FileSystem.FileSystem.use((fs) => fs.readFileString(`${root}/${file}`)).pipe(
    Effect.flatMap(Schema.decodeEffect(Manifest))
  )

const installed = /^npm install (?:--global |--save-dev )?(.+)$/

/** A package without its version, and the version. */
const split = (word: string) => {
  const at = word.indexOf("@", 1)
  return at < 0 ? ([word, ""] as const) : ([word.slice(0, at), word.slice(at + 1)] as const)
}

/** The packages that a page's programs import. */
const importedBy = (page: Document) =>
  ["ts", "tsx", "js"]
    .flatMap((language) => blocks(page, language))
    .flatMap(({ code }) =>
      Array.from(
        code.matchAll(/(?:from |import |require\()"((?:@[\w-]+\/)?[\w-]+)[^"]*"/g),
        ([, name = ""]) => name
      )
    )

/** What is there before a page is read: ali-oss for those who come from it, React for its hook. */
const given: ReadonlySet<string> = new Set(["node", "ali-oss", "react"])

layer(NodeServices.layer, { excludeTestServices: true })("a line that a page shows", (it) => {
  it.effect("is one that a test knows", () =>
    Effect.gen(function* () {
      // Tests find blocks at the start of a line.
      assert.deepStrictEqual(
        (yield* all).filter(({ text }) => /^[ \t]+```/m.test(text)).map(({ file }) => file),
        []
      )
      const lines = (yield* all).flatMap(linesOf)
      assert.isAbove(lines.length, 60)
      const unknown = lines.filter(
        ({ text }) =>
          oursIn(text).length === 0 &&
          !installed.test(text) &&
          !others.some((pattern) => pattern.test(text))
      )
      assert.deepStrictEqual(unknown, [])
    })
  )

  it.effect("is understood by the command, within the text, too", () =>
    Effect.gen(function* () {
      const lines = (yield* all).flatMap((page): ReadonlyArray<Line> => {
        const prose = page.text.replaceAll(/^ *```[^]*?^ *```/gm, "")
        const inline = Array.from(prose.matchAll(/`(effect-oss(?:-emulator)? [^`\n…]+)`/g))
        const shown = inline
          .map(([, text = ""]) => ({ file: page.file, text }))
          // A command's name, in a sentence about it.
          .filter(({ text }) => / .* /.test(text) && !/[A-Z]{3}/.test(text))
        return linesOf(page).concat(shown)
      })
      const commands = lines.flatMap(({ file, text }) =>
        oursIn(text).map((words) => ({ file, words }))
      )
      assert.isAbove(commands.length, 25)
      const misunderstood: Array<unknown> = []
      for (const { file, words } of commands) {
        const messages = yield* complaints(words)
        if (messages.length > 0) misunderstood.push([file, words.join(" "), ...messages])
      }
      assert.deepStrictEqual(misunderstood, [])
      assert.isNotEmpty(
        yield* complaints(["effect-oss", "upload", "--no-such-flag", "a", "oss://b/"])
      )
    })
  )

  it.effect("is understood without its name, too, in the page about the command", () =>
    Effect.gen(function* () {
      const [page] = yield* matching("docs/command-line.md")
      const prose = page!.text.replaceAll(/^```[^]*?^```/gm, "").replaceAll("\\|", "|")
      const verbs = Completions.fromCommand(command).subcommands.map(({ name }) => name)
      const typed = Array.from(prose.matchAll(/`([^`\n…]+oss:\/\/[^`\n…]+)`/g), ([, text = ""]) =>
        words(text.slice(text.lastIndexOf("| ") + 1))
      ).filter(([verb = ""]) => verbs.includes(verb))
      assert.isAbove(typed.length, 5)
      for (const line of typed) {
        assert.deepStrictEqual(yield* complaints(["effect-oss", ...line]), [], line.join(" "))
      }
      const [list = ""] = /^```\n(effect-oss [^]*?)^```/m.exec(page!.text)?.slice(1) ?? []
      const listed = list
        .trim()
        .split("\n")
        .flatMap((line) => /^effect-oss ([a-z]+(?:, [a-z]+)*)/.exec(line)?.[1]?.split(", ") ?? [])
      assert.isAbove(listed.length, 9)
      assert.includeMembers(verbs, listed)
    })
  )

  it.effect("names a script of the workspace", () =>
    Effect.gen(function* () {
      const { scripts = {} } = yield* manifest("package.json")
      let count = 0
      for (const { file, text } of yield* all) {
        const folder = /^packages\/[^/]+\//.exec(file)?.[0]
        const own = folder === undefined ? {} : (yield* manifest(`${folder}package.json`)).scripts
        const code = text.match(/^ *```sh[^]*?^ *```|`[^`\n]+`/gm) ?? []
        const named = code.flatMap((code) =>
          Array.from(code.matchAll(/\bpnpm(?:@12)? ([a-z][a-z:-]*)/g), ([, name = ""]) => name)
        )
        count += named.length
        for (const name of named.filter((name) => !ofPnpm.has(name))) {
          assert.property({ ...scripts, ...own }, name, file)
        }
      }
      assert.isAbove(count, 30)
      const contributing = (yield* pages).find(({ file }) => file === "CONTRIBUTING.md")
      const commands = /^\| command [^]*?\n\n/m.exec(contributing?.text ?? "")?.[0] ?? ""
      const table = Array.from(commands.matchAll(/^\| `([a-z:]+)` +\|/gm), ([, name = ""]) => name)
      assert.isAbove(table.length, 10)
      for (const name of table) assert.property(scripts, name)
    })
  )

  it.effect("installs versions that go together", () =>
    Effect.gen(function* () {
      const own = yield* Effect.forEach(yield* matching("packages/*/package.json"), ({ file }) =>
        manifest(file)
      )
      const workspace = yield* manifest("package.json")
      const dependencies = [workspace, ...own].flatMap(({ dependencies, devDependencies }) =>
        Object.entries({ ...dependencies, ...devDependencies })
      )
      const version = (name: string) =>
        dependencies.find(([other]) => other === name)?.[1].replace(/^[~^]/, "") ?? ""
      const wrong: Array<string> = []
      for (const page of yield* all) {
        for (const { file, text } of linesOf(page)) {
          const [, list = ""] = installed.exec(text) ?? []
          for (const word of words(list)) {
            const [name, range] = split(word)
            const isOurs = own.some((manifest) => manifest.name === name)
            // Of Effect and what belongs to it: a bare name is another version one day.
            const isPinned = name === "effect" || name.startsWith("@effect/") || name === "vitest"
            const is = version(name)
            const fits = [`~${is}`, `~${is.replace(/\.\d+$/, ".0")}`, is.replace(/\..*$/, "")]
            if (isOurs ? range !== "" : isPinned && !fits.includes(range)) {
              wrong.push(`${file}: ${word}`)
            }
          }
          const names = words(list).map((word) => split(word)[0])
          const isLibrary = names.some((name) =>
            own.some(
              (manifest) => manifest.name === name && "effect" in (manifest.peerDependencies ?? {})
            )
          )
          if (isLibrary && !names.includes("effect") && !text.includes("--save-dev")) {
            wrong.push(`${file}: no effect in ${text}`)
          }
        }
      }
      assert.deepStrictEqual(wrong, [])
    })
  )

  it.effect("installs what the programs beside it import", () =>
    Effect.gen(function* () {
      const missing: Array<string> = []
      for (const page of yield* all) {
        const names = linesOf(page)
          .flatMap(({ text }) => words(installed.exec(text)?.[1] ?? ""))
          .map((word) => split(word)[0])
        if (names.length === 0) continue
        for (const name of new Set(importedBy(page))) {
          if (!names.includes(name) && !given.has(name) && !isBuiltin(name))
            missing.push(`${page.file}: ${name}`)
        }
      }
      assert.deepStrictEqual(missing, [])
    })
  )
})
