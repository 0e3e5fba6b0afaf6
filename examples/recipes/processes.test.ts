/** The recipes that are processes: a service, functions in bundles, and what Docker would run. */
import { NodeServices } from "@effect/platform-node"
import { OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { readFileSync } from "node:fs"
import { request } from "node:http"
import { fileURLToPath } from "node:url"
import { parse } from "yaml"
import { root, run, succeed } from "../../test/support/command.ts"
import { blocks } from "../../test/support/documents.ts"
import { bucket, inDirectory, keys, start, stored, storedText, sts } from "../support/run.ts"

const MiB = 1024 * 1024

const until = <E, R>(check: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(Effect.delay(check, "20 millis"), { until: (is) => is })

/** The service, with its address and its process id. */
const service = Effect.fnUntraced(function* (directory: string) {
  const child = yield* start("recipes/forms.ts", directory, { PORT: "0" })
  const url = yield* child.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.filter((line) => line.startsWith("http://")),
    Stream.runHead
  )
  const { port } = new URL(Option.getOrThrow(url))
  return { url: `http://127.0.0.1:${port}/forms`, pid: child.pid }
})

/** The most memory that a process has had, in bytes. Linux tells. */
const peakOf = (pid: number) => {
  const status = readFileSync(`/proc/${pid}/status`, "utf8")
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

describe("the service for forms", { timeout: 120_000 }, () => {
  it.live("streams files of unknown length into objects, within its memory", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const { url, pid } = yield* service(directory)
        const before = peakOf(pid)
        const send = (name: string) =>
          Effect.promise(async () => {
            const form = new FormData()
            form.set("title", "a title")
            form.set("file", new Blob([new Uint8Array(64 * MiB).fill(name.length)]), `../${name}`)
            return (await fetch(url, { method: "POST", body: form })).json()
          })
        const answers = yield* Effect.forEach(["a", "bb", "ccc", "dddd"], send, { concurrency: 4 })
        for (const [index, [answer]] of answers.entries()) {
          assert.deepInclude(answer, { field: "file", size: 64 * MiB })
          assert.match(answer.key, /^forms\/[0-9a-f-]{36}$/)
          const bytes = yield* stored(answer.key)
          assert.deepStrictEqual([bytes.length, bytes.at(-1)], [64 * MiB, index + 1])
        }
        // 256 MiB have passed; the parts may take 128 of them, and a process has its own needs.
        assert.isBelow(peakOf(pid) - before, 220 * MiB)
      })
    )
  )

  it.live("leaves nothing of a client that goes half-way", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const emulator = yield* OssEmulator.OssEmulator
        const { url } = yield* service(directory)
        const headers = { "content-type": "multipart/form-data; boundary=b" }
        const client = request(url, { method: "POST", headers }).on("error", () => {})
        client.write(`--b\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\n`)
        client.write(new Uint8Array(20 * MiB))
        const parts = Effect.map(emulator.uploads(bucket), (uploads) =>
          uploads.flatMap(({ parts }) => parts)
        )
        yield* until(Effect.map(parts, ({ length }) => length > 1))
        client.destroy()
        yield* until(Effect.map(emulator.uploads(bucket), ({ length }) => length === 0))
        const completed = (yield* emulator.log).filter(({ operation }) => operation === "complete")
        assert.deepStrictEqual(completed, [])
      })
    )
  )
})

/** Commands of the page. */
const commands = (pattern: RegExp) => {
  const text = readFileSync(`${root}/docs/recipes.md`, "utf8")
  return blocks({ file: "docs/recipes.md", text }, "sh")
    .flatMap(({ code }) =>
      code
        .replaceAll(/\\\n */g, "")
        .trim()
        .split("\n")
    )
    .filter((line) => pattern.test(line))
}

describe("the functions", { timeout: 120_000 }, () => {
  it.live("load in bundles as ESM and as CommonJS, and copy a URL into an object", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const fs = yield* FileSystem.FileSystem
        const emulator = yield* OssEmulator.OssEmulator
        const esbuilds = commands(/^npx esbuild .*functions\.ts/)
        assert.strictEqual(esbuilds.length, 3)
        // The last one has ali-oss in it, for those who sign with version 1.
        const recipe = yield* fs.readFileString(`${root}/examples/recipes/functions.ts`)
        const signing = recipe.replace(
          "    credentials\n",
          `    credentials,\n    signature: "v1"\n`
        )
        assert.notStrictEqual(signing, recipe)
        yield* fs.writeFileString(`${directory}/functions.ts`, signing)
        const page = "0123456789".repeat(2_500_000)
        yield* fs.writeFileString(`${directory}/page`, page)
        const env = {
          OSS_BUCKET: bucket,
          OSS_ENDPOINT: emulator.url.replace("127.0.0.1", "localhost"),
          OSS_REGION: "cn-hangzhou",
          OSS_ACCESS_KEY_ID: keys.accessKeyId,
          OSS_ACCESS_KEY_SECRET: keys.accessKeySecret
        }
        for (const [index, esbuild] of esbuilds.entries()) {
          const line = esbuild
            .replace("npx ", `${root}/node_modules/.bin/`)
            .replaceAll("dist/", `${directory}/${index}/`)
          yield* succeed("bash", ["-c", line], {
            cwd: index === 2 ? directory : `${root}/examples/recipes`,
            env: { NODE_PATH: `${root}/examples/node_modules` }
          })
          const [, file = ""] = /--outfile=(\S+)/.exec(line) ?? []
          yield* fs.writeFileString(`${directory}/platform.mjs`, platform(file))
          const { code, out, error } = yield* run(process.execPath, ["platform.mjs"], {
            cwd: directory,
            env
          })
          assert.strictEqual(code, 0, `${esbuild}\n${out}\n${error}`)
          for (const key of ["lambda", "functionCompute"]) {
            assert.match(out, new RegExp(`^${key}: verified ${page.length}$`, "m"))
            assert.strictEqual(yield* storedText(key), page)
          }
          assert.match(out, /^again: [1-9]\d+ bytes were there$/m)
        }
      })
    )
  )
})

/** What a platform does: loads the module, and calls its handlers. The second try of `again` has more time. */
const platform = (file: string) => `
import { createServer } from "node:http"
import { readFileSync } from "node:fs"
import { lambda, functionCompute } from ${JSON.stringify(file)}
const body = readFileSync("page")
let isSlow = false
const server = createServer(({ headers }, response) => {
  const [, from, to] = /bytes=(\\d+)-(\\d*)/.exec(headers.range ?? "") ?? []
  const first = Number(from ?? 0)
  const end = Number(to || body.length - 1) + 1
  const range = "bytes " + first + "-" + (end - 1) + "/" + body.length
  const described = { etag: '"1"', "accept-ranges": "bytes", "content-length": end - first }
  response.writeHead(from === undefined ? 200 : 206, { ...described, "content-range": range })
  if (!isSlow || first < body.length / 2) response.end(body.subarray(first, end))
})
await new Promise((listens) => server.listen(0, "127.0.0.1", listens))
const url = "http://127.0.0.1:" + server.address().port + "/page"
const time = (millis) => ({ getRemainingTimeInMillis: () => millis })
const report = ({ key, verified, size }) => console.log(key + ":", verified ? "verified" : "not verified", size)
report(await lambda({ url, key: "lambda" }, time(60_000)))
const credentials = ${JSON.stringify(sts)}
const event = Buffer.from(JSON.stringify({ url, key: "functionCompute" }))
report(await functionCompute(event, { function: { timeout: 60 }, credentials }))
isSlow = true
const late = await lambda({ url, key: "again" }, time(4_500)).then(() => "in time", (error) => error._tag)
if (late !== "TimeoutError") throw new Error(late)
isSlow = false
const { resumed } = await lambda({ url, key: "again" }, time(60_000))
console.log("again:", resumed, "bytes were there")
process.exit(0)
`

interface Compose {
  readonly services: {
    readonly oss: { readonly command: string; readonly healthcheck: { test: Array<string> } }
    readonly upload: { readonly environment: Record<string, string>; volumes: Array<string> }
  }
  readonly volumes: object
}

describe("what Docker runs", { timeout: 120_000 }, () => {
  const file = (name: string) => readFileSync(new URL(`docker/${name}`, import.meta.url), "utf8")

  it.live("carries on in the next container, from the volume", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const { services, volumes }: Compose = parse(file("compose.yaml"))
      const dockerfile = file("Dockerfile")
      const [, state = ""] = /^VOLUME (.*)$/m.exec(dockerfile) ?? []
      assert.include(dockerfile, `ENV CHECKPOINTS=${state}\n`)
      assert.include(dockerfile, `--mode 700 ${state}\n`)
      assert.include(services.upload.volumes, `checkpoints:${state}`)
      assert.property(volumes, "checkpoints")

      const { command, healthcheck } = services.oss
      const words = command.trim().split(/\s+/)
      assert.deepStrictEqual(words.slice(0, 3), ["npx", "-y", "@effect-oss/emulator"])
      const local = words
        .slice(3)
        .map((word) =>
          word === "0.0.0.0"
            ? "127.0.0.1"
            : word === "9000"
              ? "0"
              : word.replace(/^\//, `${directory}/`)
        )
      const emulator = yield* ChildProcess.make(process.execPath, [
        `${root}/packages/emulator/src/bin.ts`,
        ...local
      ])
      const line = yield* emulator.stdout.pipe(
        Stream.decodeText(),
        Stream.splitLines,
        Stream.runHead
      )
      const url = Option.getOrThrow(line).replace(/^.* /, "")
      const [cmd, , ...check] = healthcheck.test
      assert.strictEqual(cmd, "CMD")
      yield* succeed(
        process.execPath,
        check.map((word) => word.replace("http://127.0.0.1:9000", url))
      )

      yield* fs.makeDirectory(`${directory}/data`)
      yield* fs.writeFile(`${directory}/data/db.tar`, new Uint8Array(100 * MiB).fill(7))
      const { OSS_ENDPOINT: endpoint = "", ...environment } = services.upload.environment
      assert.strictEqual(endpoint, "http://oss:9000")
      const env = {
        ...environment,
        OSS_ENDPOINT: url,
        DATA: `${directory}/data`,
        CHECKPOINTS: `${directory}/state`
      }
      const program = [fileURLToPath(new URL("docker/upload.ts", import.meta.url))]
      const first = yield* ChildProcess.make(process.execPath, program, { env, extendEnv: true })
      const recorded = Effect.map(recordsIn(`${directory}/state`), (records) => records > 2)
      yield* until(recorded)
      yield* first.kill({ killSignal: "SIGKILL" })
      const next = yield* succeed(process.execPath, program, { env })
      const [, sent] = /^data\/db\.tar: sent (\d+) of 104857600 bytes$/m.exec(next) ?? []
      assert.isAbove(Number(sent), 0, next)
      assert.isBelow(Number(sent), 100 * MiB)
      const last = yield* succeed(process.execPath, program, { env })
      assert.strictEqual(last, "data/db.tar: sent 0 of 104857600 bytes\n")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})

/** How many records the longest journal in a directory has, besides its header. */
const recordsIn = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const none = Effect.orElseSucceed(fs.readDirectory(directory, { recursive: true }), () => [])
  const texts = yield* Effect.forEach(yield* none, (path) =>
    Effect.orElseSucceed(fs.readFileString(`${directory}/${path}`), () => "")
  )
  return Math.max(0, ...texts.map((text) => text.split("\n").length - 2))
})
