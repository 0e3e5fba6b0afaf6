/**
 * Code that pages show and that is a file of its own, which is compiled and
 * tested as such: `<!-- examples/recipes/job.ts -->` before a block says which.
 */
import { Effect, FileSystem } from "effect"
import { root } from "./command.ts"
import type { Document } from "./documents.ts"

const block = /^<!-- (examples\/\S+) -->\n\n?```(\w+)\n([^]*?)^```$/gm

/** The files that a page shows. */
export const shownIn = ({ text }: Document): ReadonlyArray<string> =>
  Array.from(text.matchAll(block), ([, file = ""]) => file)

/** The page without such code. */
export const withoutIncluded = ({ file, text }: Document): Document => ({
  file,
  // Lines stay where they are.
  text: text.replaceAll(block, (shown) => shown.replaceAll(/[^\n]/g, ""))
})

/** The page's text with each file as it is now. */
export const withIncluded = Effect.fnUntraced(function* (page: Document) {
  const fs = yield* FileSystem.FileSystem
  const codes = new Map<string, string>()
  for (const file of shownIn(page)) {
    codes.set(file, yield* fs.readFileString(`${root}/${file}`))
  }
  return page.text.replaceAll(
    block,
    (_, file: string, language: string) =>
      `<!-- ${file} -->\n\n\`\`\`${language}\n${codes.get(file)}\`\`\``
  )
})
