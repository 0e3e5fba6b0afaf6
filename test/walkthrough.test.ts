import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { createServer } from "node:net"
import { firstLine, root, run } from "./support/command.ts"
import { blocks, pages } from "./support/documents.ts"

/** What is for those who work on it: that it exists is tested with the documents. */
const elsewhere = /^npx -y pnpm@12 (?!effect-oss )/
/** From tarballs: tested with the packages. */
const install = /^npm install (--global )?[@\w/ -]+$/
const emulator = /^npx -y pnpm@12 (effect-oss emulator) --port 9000 --bucket (\S+)$/

const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** All lines that a reader of this page is told to type, in order. */
const linesOf = Effect.fnUntraced(function* (name: string) {
  const page = (yield* pages).find(({ file }) => file === name)
  assert.isDefined(page, name)
  return blocks(page, "sh").flatMap(({ code }) => code.trim().split("\n"))
})

layer(NodeServices.layer, { excludeTestServices: true })("a newcomer", (it) => {
  it.effect.each([
    ["README.md", ["upload", "pending", "abort"]],
    ["docs/getting-started.md", ["upload", "pending", "abort", "sweep"]]
  ] as const)(
    "can type what %s says, line by line",
    ([page, verbs]) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const port = String(yield* freePort)
        const state = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oss-walk-" })
        yield* Effect.addFinalizer(() => Effect.ignore(fs.remove(`${root}/db.tar`)))
        const lines = (yield* linesOf(page)).filter(
          (line) => !elsewhere.test(line) && !install.test(line)
        )
        const server = lines.find((line) => emulator.test(line))
        assert.isDefined(server, "it says how to start the emulator")
        const args = server.replace("9000", port).split(" ").slice(1)
        const announced = yield* firstLine("npx", args)
        // pnpm says first which script it runs.
        assert.match(announced, /effect-oss/)
        const typed = lines.filter((line) => line !== server).join("\n")
        const script = `until (echo > /dev/tcp/127.0.0.1/${port}) 2> /dev/null; do sleep 0.1; done
set -euo pipefail
${typed.replaceAll("127.0.0.1:9000", `127.0.0.1:${port}`)}`
        const where = { env: { XDG_STATE_HOME: state } }
        const { code, out, error } = yield* run("bash", ["-c", script], where)
        assert.strictEqual(code, 0, `${out}\n${error}`)
        for (const verb of verbs) assert.include(typed, `effect-oss ${verb}`)
        assert.match(out, /^backups\/2026\/db\.tar: 47\.7 MiB in .*, verified by CRC64$/m)
        assert.include(out, "no upload is waiting to be resumed\n")
        assert.include(out, "nothing to give up for backups/2026/db.tar\n")
      }),
    60_000
  )
})
