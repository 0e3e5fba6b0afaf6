import { Effect, FileSystem } from "effect"
import { root } from "./command.ts"

/** A code block of a document. */
export interface Example {
  readonly file: string
  readonly line: number
  readonly code: string
}

export interface Document {
  readonly file: string
  readonly text: string
}

/** The code blocks of one language, such as `ts`, in a text; in a doc comment, without its asterisks. `ts run` are those that end by themselves. */
export const blocks = ({ file, text }: Document, language: string): ReadonlyArray<Example> =>
  Array.from(
    text.matchAll(new RegExp(`^( \\* )?\`\`\`${language}(?: run)?\\n([^]*?)\`\`\``, "gm")),
    (match) => ({
      file,
      line: text.slice(0, match.index).split("\n").length,
      code: match[1] === undefined ? match[2]! : match[2]!.replace(/^ \* ?/gm, "")
    })
  )

const read = (file: string) =>
  FileSystem.FileSystem.use((fs) => fs.readFileString(`${root}/${file}`)).pipe(
    Effect.map((text): Document => ({ file, text }))
  )

/** The documents whose paths match. */
export const matching = Effect.fnUntraced(function* (pattern: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.forEach((yield* fs.glob(pattern, { root })).toSorted(), read)
})

export const readme = read("README.md")

/** The blocks that can be run as they stand, against an OSS at hand. */
export const runnable = (document: Document) => blocks(document, "ts run")

/** What is written for readers: at the root, in `docs/`, and beside each package. */
export const pages = Effect.all([
  matching("*.md"),
  matching("docs/*.md"),
  matching("examples/*.md"),
  matching("packages/*/*.md")
]).pipe(Effect.map((documents) => documents.flat()))

/** The library's own modules. */
export const sources = matching("packages/*/src/**/*.ts")
