import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { createServer } from "node:net"
import { bin } from "./support/bin.ts"
import { firstLine, root, run } from "./support/command.ts"
import { blocks, pages } from "./support/documents.ts"

/** What is for those who work on it: that it exists is tested with the documents. */
const elsewhere = /^npx -y pnpm@12 (?!effect-oss |demo$)/
/** From tarballs: tested with the packages. */
const install = /^npm install (--global |--save-dev )?[@\w/ .~-]+$/
/** An upload that its reader is told to stop by Ctrl-C, and then to type again. */
const stopped = /^(npx -y pnpm@12 effect-oss upload .*) --limit-rate 5MB\b(.*)$/
const emulator = /^npx -y pnpm@12 (effect-oss emulator) --port 9000 --bucket (\S+)$/

const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** Types a line in a job of its own, presses Ctrl-C once something has arrived, and types it again. */
const stopAndRepeat = (line: string) => {
  const [, before, after] = stopped.exec(line) ?? []
  const faster = `${before} --limit-rate 20MB${after}`
  return `set -m
${faster} > stopped.txt 2>&1 &
until grep -q '^[1-9][0-9]* %' stopped.txt; do sleep 0.05; done
kill -INT -- -$!
wait $! && exit 1
set +m
until grep -q 'run the same command again' stopped.txt; do sleep 0.05; done
cat stopped.txt
rm stopped.txt
${faster}`
}

/** All lines that a reader of this page is told to type, in order. */
const linesOf = (name: string) =>
  Effect.map(blocksOf(name, "sh"), (blocks) =>
    blocks.flatMap(({ code }) => code.trim().split("\n"))
  )

const blocksOf = Effect.fnUntraced(function* (name: string, language: string) {
  const page = (yield* pages).find(({ file }) => file === name)
  assert.isDefined(page, name)
  return blocks(page, language)
})

/** Where commands are found: those of the workspace, before those of the machine. */
const path = `${root}/node_modules/.bin:${process.env["PATH"]}`

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
        const [program] = yield* blocksOf(page, "ts")
        yield* fs.writeFileString(`${root}/upload.ts`, program?.code ?? "")
        for (const made of ["db.tar", "upload.ts", "stopped.txt"]) {
          yield* Effect.addFinalizer(() => Effect.ignore(fs.remove(`${root}/${made}`)))
        }
        const lines = (yield* linesOf(page)).filter(
          (line) => !elsewhere.test(line) && !install.test(line)
        )
        const server = lines.find((line) => emulator.test(line))
        assert.isDefined(server, "it says how to start the emulator")
        const env = { XDG_STATE_HOME: state, PATH: path }
        const announced = yield* firstLine("bash", ["-c", server.replace("9000", port)], { env })
        // pnpm says first which script it runs.
        assert.match(announced, /effect-oss/)
        const typed = lines
          .filter((line) => line !== server)
          .map((line) => (stopped.test(line) ? stopAndRepeat(line) : line))
          .join("\n")
        const script = `until (echo > /dev/tcp/127.0.0.1/${port}) 2> /dev/null; do sleep 0.1; done
set -euo pipefail
${typed.replaceAll("127.0.0.1:9000", `127.0.0.1:${port}`)}`
        const { code, out, error } = yield* run("bash", ["-c", script], { env })
        assert.strictEqual(code, 0, `${out}\n${error}`)
        for (const verb of verbs) assert.include(typed, `effect-oss ${verb}`)
        assert.match(out, /^backups\/2026\/db\.tar: 47\.7 MiB in .*, verified by CRC64$/m)
        assert.include(out, "no upload is waiting to be resumed\n")
        assert.include(out, "nothing to give up for backups/2026/db.tar\n")
        if (page === "docs/getting-started.md") {
          assert.match(out, /^kept: [1-9].* of 47\.7 MiB$/m)
          assert.match(out, /^backups\/2027\/db\.tar: .* resumed, verified by CRC64$/m)
        }
        if (typed.includes("upload.ts")) assert.include(out, "50000000 bytes, verified: true\n")
      }),
    120_000
  )

  it.effect.each(["docs/command-line.md", "packages/cli/README.md"])(
    "who has installed the command can type what %s says",
    (page) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const home = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oss-walk-" })
        const command = `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`
        yield* fs.makeDirectory(`${home}/photos/.cache`, { recursive: true })
        yield* fs.writeFileString(`${home}/photos/1.jpg`, "a photo")
        yield* fs.writeFile(`${home}/db.tar`, new Uint8Array(300_000).fill(1))
        yield* fs.makeDirectory(`${home}/bin`)
        yield* fs.writeFileString(`${home}/bin/effect-oss`, command, { mode: 0o755 })
        const announced = yield* firstLine(process.execPath, [bin, "emulator"])
        const lines = (yield* linesOf(page)).filter((line) => !install.test(line))
        assert.isAbove(lines.length, 2)
        const env = {
          HOME: home,
          PATH: `${home}/bin:${process.env["PATH"]}`,
          OSS_ENDPOINT: announced.replace(/^.* /, ""),
          OSS_ACCESS_KEY_ID: "emulator",
          OSS_ACCESS_KEY_SECRET: "emulator-secret"
        }
        const script = ["set -euo pipefail", ...lines].join("\n")
        const { code, out, error } = yield* run("bash", ["-c", script], { cwd: home, env })
        assert.strictEqual(code, 0, `${out}\n${error}`)
        assert.match(out, /verified by CRC64|"_tag":"Completed"/)
      }),
    120_000
  )
})
