/** The README's program on other runtimes than Node, and core in a worker that has nothing of Node. */
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, FileSystem, Layer, Option } from "effect"
import { build } from "esbuild"
import { randomBytes } from "node:crypto"
import { createContext, runInContext } from "node:vm"
import { root, succeed } from "./support/command.ts"
import { pages, runnable } from "./support/documents.ts"

const keys = { accessKeyId: "id", accessKeySecret: "secret" }
const world = Layer.merge(
  OssEmulator.layer({ credentials: [keys], buckets: ["photos"] }),
  NodeServices.layer
)

/** A folder of the workspace with the README's program in it, and the file that it uploads. */
const place = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const readme = (yield* pages).find(({ file }) => file === "README.md")
  assert.isDefined(readme)
  const [program] = runnable(readme)
  const directory = yield* fs.makeTempDirectoryScoped({ directory: `${root}/test` })
  const content = randomBytes(20_000_000)
  yield* fs.writeFileString(`${directory}/upload.ts`, program?.code ?? "")
  yield* fs.writeFile(`${directory}/db.tar`, content)
  return { directory, content }
})

const stored = OssEmulator.OssEmulator.use(({ object }) =>
  Effect.flatMap(object("photos", "backups/db.tar"), (found) =>
    Option.isNone(found) ? Effect.succeed(new Uint8Array()) : found.value.bytes
  )
)

layer(world, { excludeTestServices: true, timeout: 300_000 })("other runtimes", (it) => {
  it.effect.each([
    ["Bun", ["bun@1.4.5"]],
    ["Deno", ["deno@2.9.6", "run", "--allow-all"]]
  ] as const)(
    "%s runs the README's program",
    ([, command]) =>
      Effect.gen(function* () {
        const { url } = yield* OssEmulator.OssEmulator
        const { directory, content } = yield* place
        const env = {
          OSS_BUCKET: "photos",
          OSS_ENDPOINT: url,
          OSS_ACCESS_KEY_ID: keys.accessKeyId,
          OSS_ACCESS_KEY_SECRET: keys.accessKeySecret
        }
        const where = { cwd: directory, env }
        const out = yield* succeed("npx", ["-y", ...command, "upload.ts"], where)
        assert.match(out, /verified: true/)
        assert.strictEqual(Buffer.compare(yield* stored, content), 0)
      }),
    300_000
  )

  it.effect("a worker without anything of Node runs core", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const { outputFiles } = yield* Effect.promise(() =>
        build({
          stdin: { contents: worker, resolveDir: root },
          bundle: true,
          write: false,
          format: "iife",
          globalName: "worker",
          platform: "neutral",
          mainFields: ["module", "main"],
          external: ["ali-oss", "node:*"],
          logLevel: "silent"
        })
      )
      const context = createContext(ofWorkers)
      const script = `${outputFiles[0]?.text ?? ""}; worker.upload`
      const upload: (endpoint: string, bytes: Uint8Array) => Promise<boolean> = runInContext(
        script,
        context
      )
      const content = randomBytes(1_000_000)
      assert.isTrue(yield* Effect.promise(() => upload(url, content)))
      assert.strictEqual(Buffer.compare(yield* stored, content), 0)
    })
  )
})

/** What Cloudflare's workers have, besides what JavaScript has: no `process`, no `Buffer`, no `require`. */
const ofWorkers = {
  AbortController,
  AbortSignal,
  Blob,
  clearInterval,
  clearTimeout,
  console,
  crypto,
  fetch,
  File,
  FormData,
  Headers,
  performance,
  queueMicrotask,
  ReadableStream,
  Request,
  Response,
  setInterval,
  setTimeout,
  TextDecoder,
  TextEncoder,
  TransformStream,
  URL,
  URLSearchParams
}

const worker = `
  import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
  import * as Effect from "effect/Effect"
  import * as Layer from "effect/Layer"
  import * as Redacted from "effect/Redacted"
  import { FetchHttpClient } from "effect/http"
  export const upload = (endpoint, bytes) =>
    Upload.upload({
      key: "backups/db.tar",
      partSize: "200 KiB",
      source: Source.bytes(new Uint8Array(bytes))
    }).pipe(
      Effect.map(({ verified }) => verified),
      Effect.provide(
        Layer.mergeAll(
          OssClient.layerWebCrypto({
            bucket: "photos",
            endpoint,
            credentials: Effect.succeed({
              accessKeyId: "id",
              accessKeySecret: Redacted.make("secret")
            })
          }),
          CheckpointStore.layerMemory
        ).pipe(Layer.provide(FetchHttpClient.layer))
      ),
      Effect.runPromise
    )`
