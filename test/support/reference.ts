/** The page about every public export, out of what the compiler says of it and of its doc comments. */
import type { Document } from "./documents.ts"

/** One declaration of a module: an export, or the base of one, which holds a class's members. */
interface Declaration {
  readonly name: string
  readonly kind: string
  /** Of the doc comment; empty if there is none. */
  readonly comment: string
  readonly text: string
}

const declarationPattern =
  /^(?:\/\*\*\n((?: \*[^\n]*\n)*?) \*\/\n)?(?:export )?(?:declare )?(const|function|class|abstract class|interface|type) (\w+)([^]*?)(?=\n(?:\/\*\*|export |declare |interface |type |import |\/\/#)|(?![^]))/gm

/** In their order; what is between them is imports and the like. */
const declarationsIn = (text: string): ReadonlyArray<Declaration> =>
  Array.from(
    text.matchAll(declarationPattern),
    ([, comment = "", kind = "", name = "", rest = ""]) => ({
      name,
      kind,
      comment,
      text: rest.trim()
    })
  )

const lines = (comment: string) => comment.split("\n").map((line) => line.replace(/^ *\* ?/, ""))

/** The first paragraph; of a list that it announces, the list too. */
const summaryOf = (comment: string): string => {
  const [first = [], second = []] = paragraphs(comment)
  const text = first.join(" ").trim()
  const items = second.join(" ").trim()
  return text.endsWith(":") && items.startsWith("- ")
    ? `${text} ${items.slice(2).replaceAll(" - ", " ")}`
    : text
}

const paragraphs = (comment: string): ReadonlyArray<ReadonlyArray<string>> => {
  const all: Array<Array<string>> = [[]]
  for (const line of lines(comment)) {
    if (line.startsWith("@")) break
    if (line === "") all.push([])
    else all.at(-1)?.push(line)
  }
  return all
}

interface Member {
  readonly name: string
  readonly type: string
  readonly doc: string
}

/** A member begins at this indentation, and ends with the first semicolon that ends a line at it. */
const membersAt = (text: string, indent: number): ReadonlyArray<Member> => {
  const space = " ".repeat(indent)
  const pattern = new RegExp(
    `^${space}(?:/\\*\\*((?:(?!\\*/)[^])*)\\*/\\n${space})?(?:readonly )?(\\w+\\??)(?:: |(?=\\())([^]*?);$(?=\\n(?:${space}[^\\s})\\]]| {0,${indent - 1}}\\S)|(?![^]))`,
    "gm"
  )
  return Array.from(text.matchAll(pattern), ([, doc = "", name = "", type = ""]) => {
    const shown = plain(type)
    const [, optional] = /^Schema\.optionalKey<([^]*)>$/.exec(shown) ?? []
    const [, tagged] = /^Schema\.TaggedStruct<"\w+", ([^]*)>$/.exec(shown) ?? []
    return {
      name: optional === undefined ? name : `${name}?`,
      type:
        optional ?? tagged ?? (name.endsWith("?") ? shown.replace(/ \| undefined$/, "") : shown),
      doc: lines(doc).join(" ").replaceAll(/ +/g, " ").trim()
    }
  })
}

/** Of an interface, or of the type that a schema or a service is made of. */
const membersOf = (text: string): ReadonlyArray<Member> => {
  const indents = Array.from(text.matchAll(/^( +)(?:readonly )?\w+\??[:(]/gm), ([, space]) =>
    space === undefined ? 0 : space.length
  )
  return indents.length === 0 ? [] : membersAt(text, Math.min(...indents))
}

/** On one line, in the words of a reader: what is optional or read-only goes without saying. */
const plain = (type: string): string =>
  type
    .replaceAll(/\/\*\*(?:(?!\*\/)[^])*\*\//g, "")
    .replaceAll(/\breadonly (?=\w+\??[:(])/g, "")
    .replaceAll(/(\w\?: [^;]*?) \| undefined(?=;)/g, "$1")
    .replaceAll(/import\("[^"]*"\)\./g, "")
    .replaceAll(/\bSchema\.(\w+)\b(?!<)/g, (schema, name: string) => primitives[name] ?? schema)
    .replaceAll(/\bSchema\.(?:Union|Literals)<readonly \[([^\]]*)\]>/g, (_, members: string) =>
      members.replaceAll("typeof ", "").split(/,\s+/).join(" | ")
    )
    .replaceAll(/\bSchema\.NullOr<([^<>]*)>/g, "$1 | null")
    .replaceAll(/\bSchema\.Literal<([^<>]*)>/g, "$1")
    .replaceAll(/\bSchema\.\$Record<([^<>]*)>/g, "Record<$1>")
    .replaceAll(/(\w): Schema\.optionalKey<([^<>]*)>/g, "$1?: $2")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/; }/g, " }")
    .trim()

/** What a schema stands for once it is decoded. */
const primitives: Readonly<Record<string, string>> = {
  String: "string",
  NonEmptyString: "string",
  Finite: "number",
  Int: "number",
  Boolean: "boolean",
  BigInt: "bigint",
  BigIntFromString: "bigint"
}

/** A signature that is longer than this says nothing to a reader. */
const longest = 700

const code = (text: string) => `\`${text.replaceAll("`", "'")}\``

const signatureOf = ({ kind, text }: Declaration): ReadonlyArray<string> => {
  const type = plain(
    text
      .replace(/^(?:: | = )/, "")
      .replace(/^[:=] ?/, "")
      .replace(/;$/, "")
  )
  const isShown = kind === "function" || kind === "const" || kind === "type"
  const says = !/^(?:Schema\.|typeof \w+\.)/.test(type) && type.length <= longest
  return isShown && says ? [code(type)] : []
}

const memberLine = ({ name, type, doc }: Member) =>
  `  - ${code(name.includes("(") ? name : `${name}: ${type}`)}${doc === "" ? "" : `: ${doc}`}`

/** Finds an interface by its name: in the same package, or in another one. */
type Find = (name: string) => Declaration | undefined

/** `A, Omit<B, "x" | "y">` as the names of interfaces, and what is left out of them. */
const heritageOf = (
  text: string
): ReadonlyArray<{ name: string; without: ReadonlyArray<string> }> => {
  const [, heritage = ""] = /^(?:<[^{]*?>)?\s*extends ([^{]+)\{/.exec(text) ?? []
  // Of what a schema decodes to, the members are the schema's.
  if (heritage.includes("typeof ")) return []
  return Array.from(
    heritage.matchAll(/(?:Omit<)?(?<![.\w])(\w+)(?![.\w])(?:<[^<>]*>)?(?:, ([^>]*)>)?/g),
    ([, name = "", without = ""]) => ({
      name,
      without: Array.from(without.matchAll(/"(\w+)"/g), ([, member = ""]) => member)
    })
  )
}

/** What an interface has from those that it extends, with a word about where from. */
const inheritedOf = ({ kind, text }: Declaration, find: Find): ReadonlyArray<Member> =>
  kind !== "interface"
    ? []
    : heritageOf(text).flatMap(({ name, without }) => {
        const parent = find(name)
        if (parent === undefined) return []
        return [...membersOf(parent.text), ...inheritedOf(parent, find)].filter(
          (member) => !without.includes(member.name.replace("?", ""))
        )
      })

/** All members of a model; of a function, those of its options that are explained. */
const detailsOf = (
  declaration: Declaration,
  base: Declaration | undefined,
  find: Find
): ReadonlyArray<string> => {
  const { kind, text } = declaration
  const signature = signatureOf(declaration)
  const members = membersOf(base?.text ?? text).filter(({ type }) => type.length <= longest)
  const told =
    kind === "interface" || base !== undefined || signature.length === 0
      ? members
      : membersOf(text).filter(({ doc }) => doc !== "")
  const own = new Set(told.map(({ name }) => name))
  const inherited = inheritedOf(declaration, find).filter(({ name }) => !own.has(name))
  return [...signature.map((type) => `  - ${type}`), ...[...told, ...inherited].map(memberLine)]
}

const moduleOf = ({ file, text }: Document, find: Find): ReadonlyArray<string> => {
  const [, folder = "", name = ""] =
    /^packages\/([^/]+)\/src\/((?:testing\/)?\w+)\.ts$/.exec(file) ?? []
  const all = declarationsIn(text)
  const entries = entriesOf(all)
  if (name === "" || name === "index" || entries.length === 0) return []
  const header = /^(?:#![^\n]*\n)?\/\*\*\n([^]*?) \*\//.exec(text)?.[1] ?? ""
  return [
    `### [\`@effect-oss/${folder}/${name}\`](../${file})`,
    "",
    summaryOf(header),
    "",
    ...entries.flatMap((parts) => entry(parts, all, find)),
    ""
  ]
}

/** By name: a type and a value of one name have one comment between them, overloads the first one's. */
const entriesOf = (all: ReadonlyArray<Declaration>): ReadonlyArray<ReadonlyArray<Declaration>> => {
  const entries = new Map<string, Array<Declaration>>()
  for (const declaration of all) {
    const known = entries.get(declaration.name)
    if (known !== undefined) known.push(declaration)
    else if (/@category /.test(declaration.comment)) entries.set(declaration.name, [declaration])
  }
  return Array.from(entries.values())
}

const entry = (
  parts: ReadonlyArray<Declaration>,
  all: ReadonlyArray<Declaration>,
  find: Find
): ReadonlyArray<string> => {
  const [{ name, comment } = parts[0]!] = parts
  const category = /@category (.+)/.exec(comment)?.[1] ?? ""
  const base = all.find((other) => other.name === `${name}_base`)
  const details = parts.flatMap((part) => detailsOf(part, base, find))
  const inline = parts.flatMap((part) => inlineOf(part, all))
  return [`- \`${name}\` (${category}): ${summaryOf(comment)}`, ...new Set([...details, ...inline])]
}

/** What is only named by this declaration and has no entry of its own, such as its options, is shown with it. */
const inlineOf = (
  { name, kind, text }: Declaration,
  all: ReadonlyArray<Declaration>
): ReadonlyArray<string> => {
  if (name.endsWith("_base")) return []
  const signature = kind === "interface" ? "" : text
  const shown = all.filter(
    (other) =>
      other.kind === "interface" &&
      !/@category /.test(other.comment) &&
      new RegExp(`(?<![.\\w])${other.name}\\b`).test(signature)
  )
  const find = (other: string) =>
    all.find(({ name, kind }) => name === other && kind === "interface")
  return shown.flatMap((other) => detailsOf(other, undefined, find))
}

/** In the order in which a reader meets them; the others follow by name. */
const packagesInOrder = [
  "core",
  "node-fs-store",
  "sql-store",
  "node-http",
  "web",
  "terminal",
  "emulator",
  "cluster",
  "crc64",
  "cli"
]
const modulesInOrder = [
  "Upload",
  "UploadRequest",
  "ObjectOptions",
  "UploadEvent",
  "UploadMany",
  "UploadDefaults",
  "Source",
  "OssClient",
  "OssCredentials",
  "OssError",
  "RetryPolicy",
  "CheckpointStore"
]

const byOrder =
  (order: ReadonlyArray<string>) =>
  (a: string, b: string): number => {
    const [first, second] = [a, b].map((name) => order.indexOf(name))
    if (first === second || first === undefined || second === undefined) return a < b ? -1 : 1
    if (first < 0 || second < 0) return first < 0 ? 1 : -1
    return first - second
  }

const folderOf = ({ file }: Document) => file.split("/")[1] ?? ""
const nameOf = ({ file }: Document) => /src\/([\w/]+)\.ts$/.exec(file)?.[1] ?? ""

/** As GitHub makes them out of headings. */
const anchor = (heading: string) => heading.toLowerCase().replaceAll(/[^\w-]/g, "")

/** The page about every public export, out of declarations with their doc comments. */
export const reference = (documents: ReadonlyArray<Document>): string => {
  const declarations = merged(documents)
  const packages = [...new Set(declarations.map(folderOf))]
    .toSorted(byOrder(packagesInOrder))
    .map((folder) => packageOf(folder, declarations))
    .filter(({ modules }) => modules.length > 0)
  return [
    "# API",
    "",
    "`pnpm api` makes this page from the doc comments. Below each name stand its type and its members, those that it inherits included. A `?` marks what is optional. The `E` of an `Effect<A, E, R>` is what it can fail with. Your editor shows the details and examples of each comment.",
    "",
    ...packages.map(({ folder, modules }) => {
      const links = modules.map(
        ({ name }) => `[${name}](#${anchor(`@effect-oss/${folder}/${name}`)})`
      )
      return `- [@effect-oss/${folder}](#${anchor(`@effect-oss/${folder}`)}): ${links.join(" · ")}`
    }),
    "",
    ...packages.flatMap(({ folder, modules }) =>
      [[`## @effect-oss/${folder}`, ""], ...modules.map(({ lines }) => lines)].flat()
    )
  ].join("\n")
}

/** A module that another one forwards is shown there. The command has no module that can be imported. */
const merged = (documents: ReadonlyArray<Document>): ReadonlyArray<Document> => {
  const forwards = ({ file, text }: Document) =>
    Array.from(text.matchAll(/^export (?:type )?\* from "\.\/([\w/]+)\.ts";$/gm), ([, name]) =>
      file.replace(/\w+\.ts$/, `${name}.ts`)
    )
  const forwarded = new Set(documents.flatMap(forwards))
  const textOf = (document: Document): string =>
    [
      document.text,
      ...forwards(document).flatMap((file) =>
        documents.filter((other) => other.file === file).map(textOf)
      )
    ].join("\n")
  return documents
    .filter(({ file }) => !forwarded.has(file) && !file.startsWith("packages/cli/"))
    .map((document) => ({ file: document.file, text: textOf(document) }))
}

const packageOf = (folder: string, all: ReadonlyArray<Document>) => {
  const own = all.filter((document) => folderOf(document) === folder)
  const find = (name: string) =>
    [...own, ...all]
      .flatMap(({ text }) => (text.includes(`interface ${name}`) ? declarationsIn(text) : []))
      .find((other) => other.kind === "interface" && other.name === name)
  const modules = own
    .toSorted((a, b) => byOrder(modulesInOrder)(nameOf(a), nameOf(b)))
    .map((document) => ({ name: nameOf(document), lines: moduleOf(document, find) }))
    .filter(({ lines }) => lines.length > 0)
  return { folder, modules }
}
