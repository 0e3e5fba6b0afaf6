import { NodeServices } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem, Path, Schema } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

interface Example {
  readonly file: string
  readonly line: number
  readonly code: string
}

/** The code blocks of one language in a text; in a doc comment, without its asterisks. */
const blocks = (file: string, text: string, language: string): ReadonlyArray<Example> =>
  Array.from(
    text.matchAll(new RegExp(`^( \\* )?\`\`\`${language}\\n([^]*?)\`\`\``, "gm")),
    (match) => ({
      file,
      line: text.slice(0, match.index).split("\n").length,
      code: match[1] === undefined ? match[2]! : match[2]!.replace(/^ \* ?/gm, "")
    })
  )

/** All that a reader may copy: the README, and the examples in the doc comments. */
const documents = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const sources = (yield* fs.glob("packages/*/src/**/*.ts", { root })).toSorted()
  return yield* Effect.forEach(["README.md", ...sources], (file) =>
    Effect.map(fs.readFileString(`${root}/${file}`), (text) => ({ file, text }))
  )
})

/** Strict, but for examples that only define something. */
const compilerOptions = {
  extends: "../../tsconfig.base.json",
  compilerOptions: { noEmit: true, noUnusedLocals: false, plugins: [] },
  include: ["*.ts"]
}

layer(NodeServices.layer, { excludeTestServices: true })("documents", (it) => {
  it.effect("have code that compiles", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
      const examples = (yield* documents).flatMap(({ file, text }) => blocks(file, text, "ts"))
      assert.isAbove(examples.length, 15)

      // Inside the workspace, so that the packages are found as readers would import them.
      const directory = yield* fs.makeTempDirectoryScoped({
        directory: path.join(root, "node_modules"),
        prefix: ".docs-"
      })
      yield* fs.writeFileString(`${directory}/tsconfig.json`, JSON.stringify(compilerOptions))
      for (const { file, line, code } of examples) {
        const name = `${file.replaceAll(/[^a-zA-Z]/g, "_")}_line_${line}.ts`
        yield* fs.writeFileString(path.join(directory, name), `${code}\nexport {}\n`)
      }
      const tsc = ChildProcess.make(path.join(root, "node_modules/.bin/tsc"), ["-p", directory])
      assert.strictEqual(yield* spawner.string(tsc), "")
    })
  )

  it.effect("name only commands of the workspace that exist", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const text = yield* fs.readFileString(`${root}/package.json`)
      const manifest = yield* Schema.decodeEffect(
        Schema.fromJsonString(
          Schema.Struct({ scripts: Schema.Record(Schema.String, Schema.String) })
        )
      )(text)
      const readme = yield* fs.readFileString(`${root}/README.md`)
      const commands = blocks("README.md", readme, "sh")
        .flatMap(({ code }) => code.trim().split("\n"))
        .flatMap((line) => line.match(/^npx -y pnpm@12 (\S+)/)?.[1] ?? [])
      assert.include(commands, "demo")
      for (const command of commands) assert.property(manifest.scripts, command)
    })
  )
})

describe("a code block", () => {
  layer(NodeServices.layer)((it) => {
    it("is found in a text and in a doc comment", () => {
      const text =
        "a\n```ts\nconst x = 1\n```\n/**\n * ```ts\n * const y = 2\n *\n * const z = 3\n * ```\n */"
      assert.deepStrictEqual(
        blocks("f", text, "ts").map(({ line, code }) => [line, code.trim()]),
        [
          [2, "const x = 1"],
          [6, "const y = 2\n\nconst z = 3"]
        ]
      )
    })
  })
})
