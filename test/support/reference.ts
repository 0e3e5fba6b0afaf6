import type { Document } from "./documents.ts"

/** An export with what its doc comment says first. */
interface Entry {
  readonly name: string
  readonly category: string
  readonly summary: string
}

const entryPattern =
  /\/\*\*\n((?: \*[^\n]*\n)*?) \*\/\nexport (?:declare )?(?:const|class|function|interface|type|abstract class) (\w+)/g

const lines = (comment: string) => comment.split("\n").map((line) => line.replace(/^ \* ?/, ""))

/** The first paragraph. */
const summaryOf = (comment: string): string => {
  const text = lines(comment)
  const end = text.findIndex((line) => line === "" || line.startsWith("@"))
  return text
    .slice(0, end === -1 ? text.length : end)
    .join(" ")
    .trim()
}

const entriesOf = (text: string): ReadonlyArray<Entry> => {
  const entries = new Map<string, Entry>()
  for (const [, comment = "", name = ""] of text.matchAll(entryPattern)) {
    const category = /@category (.+)/.exec(comment)?.[1]
    // A type and a value of one name have one comment between them.
    if (category !== undefined && !entries.has(name)) {
      entries.set(name, { name, category, summary: summaryOf(comment) })
    }
  }
  return Array.from(entries.values())
}

const moduleOf = ({ file, text }: Document): ReadonlyArray<string> => {
  const entries = entriesOf(text)
  const [, folder = "", name = ""] = /^packages\/([^/]+)\/src\/(\w+)\.ts$/.exec(file) ?? []
  if (name === "" || name === "index" || entries.length === 0) return []
  const header = /^(?:#![^\n]*\n)?\/\*\*\n([^]*?) \*\//.exec(text)?.[1] ?? ""
  return [
    `### [\`@effect-oss/${folder}/${name}\`](../${file})`,
    "",
    summaryOf(header),
    "",
    ...entries.map(({ name, category, summary }) => `- \`${name}\` (${category}): ${summary}`),
    ""
  ]
}

/** The page about every public export, out of the doc comments. */
export const reference = (sources: ReadonlyArray<Document>): string => {
  const packages = [...new Set(sources.map(({ file }) => file.split("/")[1] ?? ""))]
  return [
    "# API",
    "",
    "Made out of the doc comments by `pnpm api`. Details, examples and the meaning of every field are in the comments, which editors show.",
    "",
    ...packages.flatMap((folder) => packageOf(folder, sources))
  ].join("\n")
}

const packageOf = (folder: string, sources: ReadonlyArray<Document>): ReadonlyArray<string> => {
  const modules = sources
    .filter(({ file }) => file.startsWith(`packages/${folder}/`))
    .flatMap(moduleOf)
  return modules.length === 0 ? [] : [`## @effect-oss/${folder}`, "", ...modules]
}
