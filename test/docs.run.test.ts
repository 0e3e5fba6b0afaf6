/** The pages' programs, compiled and run as their readers would. */
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Path } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { root, run } from "./support/command.ts"
import { blocks, pages, runnable, sources } from "./support/documents.ts"
import { withoutIncluded } from "./support/included.ts"
import { place } from "./support/place.ts"

/** Strict, but for examples that only define something. */
const compilerOptions = {
  extends: "../../tsconfig.base.json",
  compilerOptions: {
    noEmit: true,
    noUnusedLocals: false,
    plugins: [],
    lib: ["ES2024", "DOM", "DOM.Iterable"]
  },
  include: ["*.ts"]
}

/** The name of an example's file tells its page and its line. */
const fileOf = ({ file, line }: { readonly file: string; readonly line: number }) =>
  `${file.replaceAll(/[^a-zA-Z]/g, "_")}_line_${line}.ts`

layer(NodeServices.layer, { excludeTestServices: true })("documents", (it) => {
  it.effect("have code that compiles", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
      const documents = [...(yield* pages).map(withoutIncluded), ...(yield* sources)]
      const examples = documents.flatMap((document) => blocks(document, "ts"))
      assert.isAbove(examples.length, 15)

      // Inside the workspace, so that the packages are found as readers would import them.
      const directory = yield* fs.makeTempDirectoryScoped({
        directory: path.join(root, "node_modules"),
        prefix: ".docs-"
      })
      yield* fs.writeFileString(`${directory}/tsconfig.json`, JSON.stringify(compilerOptions))
      for (const example of examples) {
        const file = path.join(directory, fileOf(example))
        yield* fs.writeFileString(file, `${example.code}\nexport {}\n`)
      }
      const tsc = ChildProcess.make(path.join(root, "node_modules/.bin/tsc"), ["-p", directory])
      assert.strictEqual(yield* spawner.string(tsc), "")
    })
  )

  it.effect("have code that runs, where it ends by itself", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const examples = (yield* pages).flatMap(runnable)
      assert.isAbove(examples.length, 6)
      const { directory, env } = yield* place
      for (const example of examples) {
        const { file, line, code } = example
        const name = fileOf(example)
        yield* fs.writeFileString(`${directory}/${name}`, code)
        const ended = yield* run(process.execPath, [name], { cwd: directory, env })
        assert.strictEqual(ended.code, 0, `${file}:${line}\n${ended.out}\n${ended.error}`)
      }
    })
  )
})
