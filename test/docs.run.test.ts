/** The pages' programs, run as their readers would. */
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { run } from "./support/command.ts"
import { pages, runnable } from "./support/documents.ts"
import { place } from "./support/place.ts"

layer(NodeServices.layer, { excludeTestServices: true })("documents", (it) => {
  it.effect("have code that runs, where it ends by itself", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const examples = (yield* pages).flatMap(runnable)
      assert.isAbove(examples.length, 6)
      const { directory, env } = yield* place
      for (const { file, line, code } of examples) {
        const name = `${file.replaceAll(/[^a-zA-Z]/g, "_")}_line_${line}.ts`
        yield* fs.writeFileString(`${directory}/${name}`, code)
        const ended = yield* run(process.execPath, [name], { cwd: directory, env })
        assert.strictEqual(ended.code, 0, `${file}:${line}\n${ended.out}\n${ended.error}`)
      }
    })
  )
})
