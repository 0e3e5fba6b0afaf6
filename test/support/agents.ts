/**
 * What a program that writes programs is told of a package: its `AGENTS.md`, out
 * of its README, and of pages. `pnpm api` writes them.
 */
import { Effect, FileSystem } from "effect"
import { root } from "./command.ts"
import { blocks, type Document, matching, pages } from "./documents.ts"

const core = "packages/core/README.md"

/** Pages aren't part of a package: of links to them, the text is left. */
const withoutLinks = (text: string) => text.replaceAll(/\[([^\]]+)\]\((?!https?:)[^)]+\)/g, "$1")

const program = (title: string, { code }: { readonly code: string }) =>
  `### ${title}\n\n\`\`\`ts\n${code}\`\`\`\n`

/** The first block of this language, for instance how to install it. */
const first = (page: Document, language: string, number = 0) => {
  const block = blocks(page, language)[number]
  return block ?? { file: page.file, line: 0, code: "" }
}

/** Packages that are used without core. */
const alone = /packages\/(?:cli|crc64)\//

/** What a README says after its first program, or after how to install it if there is none. */
const restOf = ({ text }: Document) => {
  const language = text.includes("```ts\n") ? "ts" : "sh"
  const from = text.indexOf("```" + language)
  return text.slice(text.indexOf("\n```\n", from) + 5).trim()
}

const of = (readme: Document, page: (file: string) => Document): string => {
  const [title = "", about = ""] = readme.text.split("\n\n")
  const testing = blocks(page("README.md"), "sh").find(({ code }) => code.includes("--save-dev"))
  const also = readme.file === core ? (testing?.code ?? "") : ""
  const install = `${first(readme, "sh").code}${also}`.trim()
  const own = first(readme, "ts")
  const rules = page("docs/mistakes.md").text
  const programs =
    readme.file === core
      ? [
          program("Upload, and resume", own),
          program(
            "Test it, without a network and without waiting",
            first(page("README.md"), "ts", 1)
          ),
          program("Set limits once for a whole program", first(page("docs/composing.md"), "ts"))
        ]
      : own.code === ""
        ? []
        : [program("A program", own)]
  const more =
    readme.file === core
      ? `## Ten mistakes\n\n${rules.slice(rules.indexOf("1. "))}`
      : alone.test(readme.file)
        ? ""
        : "Mistakes to avoid, and programs to begin with: `AGENTS.md` of `@effect-oss/core`.\n"
  return withoutLinks(
    [
      `${title}\n\n${about}\n`,
      install === "" ? "" : `## Install\n\n\`\`\`sh\n${install}\n\`\`\`\n`,
      programs.length === 0 ? "" : `## Programs\n\n${programs.join("\n")}`,
      `## To know\n\n${restOf(readme)}\n`,
      more
    ]
      .filter((section) => section !== "")
      .join("\n")
  )
}

/** The page of each package, by its path. */
export const agents = Effect.gen(function* () {
  const all = yield* pages
  const page = (file: string) => all.find((page) => page.file === file)!
  const readmes = yield* matching("packages/*/README.md")
  return readmes.map((readme): Document => ({
    file: readme.file.replace("README.md", "AGENTS.md"),
    text: of(readme, page)
  }))
})

/** Writes them. */
export const write = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  for (const { file, text } of yield* agents) yield* fs.writeFileString(`${root}/${file}`, text)
})
