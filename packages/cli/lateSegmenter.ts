import type { Plugin } from "esbuild"
import { readFileSync } from "node:fs"

/** Effect's help makes this as it is loaded, and most commands write no help. Making it takes as long as all of Effect's core. */
const eager = /const graphemeSegmenter = \/\*#__PURE__\*\/\s*(new Intl\.Segmenter\([^)]*\));/

/** Makes the segmenter of Effect's help when help is first laid out. */
export const lateSegmenter: Plugin = {
  name: "late-segmenter",
  setup: ({ onLoad }) => {
    onLoad({ filter: /[\\/]effect[\\/]dist[\\/]cli[\\/]CliOutput\.js$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8")
      const contents = source.replace(
        eager,
        `let segmenter;
const graphemeSegmenter = { segment: (text) => (segmenter ??= $1).segment(text) };`
      )
      return contents === source
        ? {
            errors: [
              { text: "Effect makes its segmenter in another way: look at lateSegmenter.ts" }
            ]
          }
        : { contents, loader: "js" }
    })
  }
}
