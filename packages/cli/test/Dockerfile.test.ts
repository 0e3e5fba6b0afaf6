/** The container, as far as it can be checked without a daemon that builds it. */
import { assert, layer } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem } from "effect"
import { basename, dirname } from "node:path"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("..", import.meta.url))

/** The instructions, each with its arguments; lines that go on are one. */
const instructions = Effect.map(
  FileSystem.FileSystem.use((fs) => fs.readFileString(`${folder}/Dockerfile`)),
  (text) =>
    text
      .replaceAll(/^#.*\n/gm, "")
      .replaceAll("\\\n", " ")
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => {
        const [, name = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? []
        return { name, rest: rest.replaceAll(/\s+/g, " ") }
      })
)

const only = (all: Effect.Success<typeof instructions>, name: string) => {
  const found = all.filter((instruction) => instruction.name === name)
  assert.lengthOf(found, 1, name)
  return found[0]!.rest
}

layer(NodeServices.layer)("the container", (it) => {
  it.effect("copies what build:binary makes, and nothing else", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const all = yield* instructions
      const [source = "", target = ""] = only(all, "COPY").split(" ")
      // Relative to the folder that is the context: docker build packages/cli.
      assert.strictEqual(source, "dist/effect-oss")
      const binary = yield* fs.readFileString(`${folder}/binary.ts`)
      assert.include(binary, `process.argv[2] ?? join(import.meta.dirname, "${dirname(source)}")`)
      assert.include(binary, `"${basename(source)}"`)
      assert.deepStrictEqual(JSON.parse(only(all, "ENTRYPOINT")), [basename(target)])
      assert.include(["/usr/local/bin", "/usr/bin", "/bin"], dirname(target))
    })
  )

  it.effect("runs as a user who is not root and owns what it writes to", () =>
    Effect.gen(function* () {
      const all = yield* instructions
      const user = only(all, "USER")
      assert.match(user, /^[1-9]\d+$/)
      const run = only(all, "RUN")
      assert.include(run, `useradd --uid ${user} --no-create-home uploader`)
      const volume = only(all, "VOLUME")
      assert.match(run, new RegExp(`install --directory --owner uploader --mode 700 .*${volume}`))
      assert.include(run, ` ${only(all, "WORKDIR")}`)
      assert.strictEqual(only(all, "ENV"), `XDG_STATE_HOME=${volume}`)
      const names = all.map(({ name }) => name)
      assert.isAbove(names.indexOf("USER"), names.indexOf("RUN"))
      assert.strictEqual(names[0], "FROM")
    })
  )
})
