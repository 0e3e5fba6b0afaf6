/** Each promise of the documents names tests that exist. */
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

layer(NodeServices.layer, { excludeTestServices: true })("promises", (it) => {
  it.effect("name tests that exist", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const text = yield* fs.readFileString(`${root}/docs/promises.md`)
      const promised = text.slice(text.indexOf("## Promised"), text.indexOf("## Not promised"))
      const [, ...promises] = promised.split(/^- /m)
      assert.isAtLeast(promises.length, 9)
      for (const promise of promises) {
        assert.isAbove(yield* proofsIn(promise), 0, promise)
      }
    })
  )

  it.effect("of security name tests that exist", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const text = yield* fs.readFileString(`${root}/docs/security.md`)
      assert.isAtLeast(yield* proofsIn(text), 12)
    })
  )
})

/** The number of tests that a text names; each of them is there. */
const proofsIn = Effect.fnUntraced(function* (text: string) {
  const fs = yield* FileSystem.FileSystem
  const proofs = [...text.matchAll(/^ *- `([^`]+)` "([^"]+)"$/gm)]
  for (const [, file = "", title = ""] of proofs) {
    const test = yield* fs.readFileString(`${root}/${file}`)
    assert.include(test, title, file)
  }
  return proofs.length
})
