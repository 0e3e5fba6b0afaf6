/** What `docs/from-ali-oss.md` has a reader paste, pasted: its programs, killed and carried on. */
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer } from "effect"
import type { ChildProcessSpawner } from "effect/process"
import { root, run } from "./support/command.ts"
import { blocks, pages, runnable } from "./support/documents.ts"
import { place } from "./support/place.ts"

/** The page's programs, by what they are. */
const programs = Effect.gen(function* () {
  const page = (yield* pages).find(({ file }) => file === "docs/from-ali-oss.md")
  assert.isDefined(page)
  const all = blocks(page, "js").map(({ code }) => code)
  const [effect] = runnable(page)
  const typed = blocks(page, "ts").find(({ code }) => code.includes("export const upload = "))
  const by = (pattern: RegExp) => {
    const code = all.find((code) => pattern.test(code))
    assert.isDefined(code, String(pattern))
    return code
  }
  assert.isDefined(effect)
  assert.isDefined(typed)
  return {
    typed: typed.code,
    pasted: by(/^exports\.upload = /m),
    express: by(/^app\.post/m),
    inMemory: by(/^let checkpoint$/m),
    inFile: by(/saveCheckpoint/),
    short: by(/^upload\("yourfilepath", "object-name"\)/m),
    goesOn: by(/fromAliOss/),
    effect: effect.code
  }
})

/** One of ali-oss's loops, whose process dies with three parts at OSS. */
const dying = (loop: string) =>
  loop
    .replace(`region: "yourregion",`, "endpoint: process.env.OSS_ENDPOINT,")
    .replace(`"examplebucket"`, `"backups"`)
    .replace(
      /(\n +)(?:saveCheckpoint\(cpt\)|checkpoint = cpt(?=\n +\}))/,
      "$&$1if (cpt.doneParts.length === 3) process.exit(9)"
    )

const esm = (code: string) =>
  code
    .replaceAll(/^const (.+) = require\("node:fs"\)$/gm, `import $1 from "node:fs"`)
    .replaceAll(/^const (.+) = require\((.+)\)$/gm, "import $1 from $2")
    .replaceAll("./upload.cjs", "./upload.mjs")
    .replaceAll(/^exports\./gm, "export const ")

/** The page's reader: has pasted, and runs one program after the other. */
class Reader extends Context.Service<Reader>()("test/Reader", {
  make: Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const services = yield* Effect.context<ChildProcessSpawner.ChildProcessSpawner>()
    const { directory, env } = yield* place
    const where = {
      cwd: directory,
      env: { ...env, NODE_PATH: `${root}/packages/core/node_modules` }
    }
    const node = Effect.fnUntraced(function* (name: string, code: string) {
      yield* fs.writeFileString(`${directory}/${name}`, code)
      return yield* Effect.provideContext(run(process.execPath, [name], where), services)
    })
    const killed = Effect.fnUntraced(function* (loop: string) {
      const { code, out, error } = yield* node("loop.cjs", dying(loop))
      assert.strictEqual(code, 9, out + error)
    })
    const saved = `${directory}/checkpoint.json`
    yield* node("upload.cjs", (yield* programs).pasted)
    return { fs, node, killed, saved }
  })
}) {
  static readonly layer = Layer.effect(Reader, Reader.make).pipe(
    Layer.provideMerge(NodeServices.layer)
  )
}

/** Prints how much was there already. */
const resumed = /verified: true,\n +resumed: [1-9]\d{6},/
const afresh = /verified: true,\n +resumed: 0,/

layer(Reader.layer, { excludeTestServices: true })("who comes from ali-oss", (it) => {
  it.effect("pastes at most fifteen lines", () =>
    Effect.gen(function* () {
      const { pasted } = yield* programs
      const lines = pasted.split("\n").filter((line) => line.trim() !== "")
      assert.isAtMost(lines.length, 15)
    })
  )

  it.effect("goes on from the checkpoint.json of the documented program, then afresh", () =>
    Effect.gen(function* () {
      const { inFile, goesOn, short } = yield* programs
      const { fs, node, killed, saved } = yield* Reader
      yield* killed(inFile)
      assert.isTrue(yield* fs.exists(saved))
      assert.match((yield* node("main.cjs", goesOn)).out, resumed)
      assert.isFalse(yield* fs.exists(saved))
      assert.match((yield* node("main.cjs", short)).out, afresh)
    })
  )

  it.effect("goes on from half a checkpoint.json, and from none", () =>
    Effect.gen(function* () {
      const { inFile, inMemory, goesOn } = yield* programs
      const { fs, node, killed, saved } = yield* Reader
      yield* killed(inFile)
      const text = yield* fs.readFileString(saved)
      yield* fs.writeFileString(saved, text.slice(0, text.length / 2))
      assert.match((yield* node("main.cjs", goesOn)).out, resumed)
      yield* killed(inMemory)
      assert.isFalse(yield* fs.exists(saved))
      assert.match((yield* node("main.cjs", goesOn)).out, resumed)
    })
  )

  it.effect("may write ES modules, TypeScript or Effect", () =>
    Effect.gen(function* () {
      const { pasted, typed, inFile, goesOn, effect } = yield* programs
      const { node, killed } = yield* Reader
      yield* node("upload.mjs", esm(pasted))
      yield* killed(inFile)
      assert.match((yield* node("main.mjs", esm(goesOn))).out, resumed)
      yield* node("typed.ts", typed)
      yield* killed(inFile)
      const typedMain = esm(goesOn).replace("./upload.mjs", "./typed.ts")
      assert.match((yield* node("main.mjs", typedMain)).out, resumed)
      yield* killed(inFile)
      assert.match((yield* node("upload.ts", effect)).out, resumed)
    })
  )

  it.effect("sees progress, writes the result as JSON, and stops an upload by a signal", () =>
    Effect.gen(function* () {
      const { node } = yield* Reader
      const { out, error } = yield* node(
        "main.cjs",
        `const { upload, close } = require("./upload.cjs")
         const controller = new AbortController()
         const stops = { signal: controller.signal, onProgress: () => controller.abort() }
         const seen = []
         upload("yourfilepath", "stopped", stops)
           .catch((error) => console.log("stopped:", error instanceof Error))
           .then(() => upload("yourfilepath", "object-name", { onProgress: (p) => seen.push(p) }))
           .then((result) => console.log(JSON.stringify(result), seen.at(-1).durable))
           .then(() => upload("missing", "object-name"))
           .catch((error) => console.log(error._tag, error.reason._tag))
           .finally(close)`
      )
      assert.match(out, /^stopped: true$/m, error)
      assert.match(out, /^\{"bucket":"backups",.*"crc64":"\d+".*\} 5000000$/m)
      assert.match(out, /^SourceError SourceNotFound$/m)
    })
  )

  it.effect("is told why an upload waits", () =>
    Effect.gen(function* () {
      const { node } = yield* Reader
      // A server that ends each connection at once, and a clock that runs twenty times as fast.
      const { out, error } = yield* node(
        "main.cjs",
        `const { bigint } = process.hrtime
         process.hrtime.bigint = () => bigint() * 20n
         const server = require("node:net").createServer((socket) => socket.destroy())
         server.listen(0, "127.0.0.1", () => {
           process.env.OSS_ENDPOINT = "http://127.0.0.1:" + server.address().port
           const { upload, close } = require("./upload.cjs")
           const controller = new AbortController()
           const onWaiting = ({ elapsed, reason }) => {
             console.log(elapsed >= 10_000, reason._tag, reason.message)
             controller.abort()
           }
           upload("yourfilepath", "object-name", { onWaiting, signal: controller.signal })
             .catch(() => server.close(close))
         })`
      )
      assert.match(out, /^true Transport \w+/m, error)
    })
  )

  it.effect(
    "serves requests as the page shows it, and one that is cut off leaves nothing open",
    () =>
      Effect.gen(function* () {
        const { express } = yield* programs
        const { node } = yield* Reader
        // Of Express, what the page uses.
        const { out, error } = yield* node(
          "main.cjs",
          `const { upload, close } = require("./upload.cjs")
         const { createServer } = require("node:http")
         let route
         const app = { post: (_, handler) => (route = handler) }
         ${express.replace("/data/${name}", "yourfilepath")}
         const server = createServer((req, res) => {
           res.json = (value) => res.end(JSON.stringify(value))
           const params = { name: req.url.slice(1) }
           route(Object.assign(req, { params }), res, (error) => console.log("next:", error.message))
         }).listen(0, async () => {
           const at = "http://127.0.0.1:" + server.address().port + "/"
           const given = await fetch(at + "served", { method: "POST" })
           console.log(await given.text())
           const cut = new AbortController()
           setTimeout(() => cut.abort(), 5)
           await fetch(at + "cut", { method: "POST", signal: cut.signal }).catch(() => {})
           server.close(close)
         })`
        )
        assert.match(out, /^\{"bucket":"backups","key":"served".*"verified":true/m, error)
      })
  )
})
