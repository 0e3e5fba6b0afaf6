import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../..", import.meta.url))

const imports = `
import {
  CheckpointStore, OssClient, OssError, RetryPolicy, Source, Upload, UploadDefaults, UploadMany } from "@effect-oss/core"
import * as KeyValueCheckpointStore from "@effect-oss/core/KeyValueCheckpointStore"
import { Effect, Schedule, Stream } from "effect"
import { HttpClientError } from "effect/http"
import { NodeHttpClient, NodeServices } from "@effect/platform-node"
const bytes = { key: "k", source: Source.bytes(new Uint8Array()) }
const retry = (retry: RetryPolicy.RetryPolicy) => Upload.upload({ ...bytes, retry })
`

/** What doesn't compile, and what the compiler has to say about it. */
const mistakes: Readonly<Record<string, readonly [code: string, says: RegExp]>> = {
  "no client is provided": [
    `export const run = Effect.runPromise(Effect.provide(Upload.upload(bytes), CheckpointStore.layerMemory))`,
    /'OssClient' is not assignable to type 'never'/
  ],
  "no store is provided": [
    `export const run = Effect.runPromise(
      Effect.provide(UploadMany.uploadAll(Stream.make(bytes)).pipe(Stream.runDrain), [
        OssClient.layerConfig(), NodeHttpClient.layerNodeHttp
      ]))`,
    /'(CheckpointStore|HttpClient) \\| ?(HttpClient|CheckpointStore)' is not assignable|'CheckpointStore' is not assignable to type 'never'/
  ],
  "no file system is provided": [
    `declare const world: import("effect").Layer.Layer<OssClient.OssClient | CheckpointStore.CheckpointStore>
    export const run = Effect.runPromise(
      Effect.provide(Upload.upload({ key: "k", source: Source.file("f") }), world))`,
    /'FileSystem' is not assignable to type 'never'/
  ],
  "a schedule is over another error": [
    `export const policy = retry(
      Schedule.forever.pipe(Schedule.setInputType<HttpClientError.HttpClientError>()))`,
    /'OssError' is not assignable to type 'HttpClientError'|'HttpClientError'/
  ],
  "a schedule is over text": [
    `export const policy = retry(Schedule.forever.pipe(Schedule.setInputType<string>()))`,
    /'OssError' is not assignable to type 'string'/
  ],
  "a number stands for a policy": [
    `export const policy = Upload.upload({ ...bytes, retry: 3 })`,
    /'number' is not assignable to type 'RetryPolicy'|'number' is not assignable to type 'Schedule/
  ],
  "a row is over another reason": [
    `export const policy = RetryPolicy.byReason({
      Transport: Schedule.forever.pipe(Schedule.setInputType<RetryPolicy.Because<"Throttled">>())
    })`,
    /'Because<"Transport">' is not assignable to type 'Because<"Throttled">'|"Throttled"/
  ],
  "a row is for what no retry can help": [
    `export const policy = RetryPolicy.byReason({ AccessDenied: Schedule.recurs(1) })`,
    /'AccessDenied' does not exist in type 'ReasonTable'/
  ],
  "a path stands for a source": [
    `export const run = Upload.upload({ key: "k", source: "f" })`,
    /'string' is not assignable to type 'Source/
  ],
  "the key is left out": [
    `export const run = Upload.upload({ source: Source.file("f") })`,
    /Property 'key' is missing in type/
  ],
  "the key is called name": [
    `export const run = Upload.upload({ name: "k", source: Source.file("f") })`,
    /'"call it key"'|'key'/
  ],
  "a schedule for the whole program is over another error": [
    `export const policies = UploadDefaults.layer({
      retry: Schedule.forever.pipe(Schedule.setInputType<HttpClientError.HttpClientError>()) })`,
    /'OssError' is not assignable to type 'HttpClientError'|'HttpClientError'/
  ],
  "a presigned URL is no text": [
    `export const client = OssClient.layerPresigned({ bucket: "b", sign: () => Effect.succeed(1) })`,
    /'number' is not assignable to type 'string \| undefined'|'Effect<number/
  ],
  "an error of OSS is caught that there is not": [
    `export const run = Upload.upload(bytes).pipe(
      Effect.catchReason("OssError", "Nonsense", () => Effect.void))`,
    /"Nonsense"/
  ]
}

/** How types read in an editor, which is how they read in a declaration. */
const declared: Readonly<Record<string, readonly [code: string, prints: string]>> = {
  upload: [
    `Upload.upload({ key: "k", source: Source.file("f") })`,
    `Effect.Effect<UploadResult, Upload.UploadError, CheckpointStore.CheckpointStore | FileSystem | OssClient.OssClient>`
  ],
  events: [
    `Upload.events({ key: "k", source: Source.stream("s", Stream.fail("mine" as const)) })`,
    `Stream.Stream<UploadEvent, "mine" | Upload.UploadError, CheckpointStore.CheckpointStore | OssClient.OssClient>`
  ],
  all: [
    `UploadMany.uploadAll(UploadMany.directory("d", "p"))`,
    `Stream.Stream<UploadMany.Outcome<Upload.UploadRequest<never, FileSystem>, Upload.UploadError>, InvalidRequest | OssError.OssError | Source.SourceError, CheckpointStore.CheckpointStore | FileSystem | OssClient.OssClient | Path>`
  ],
  stopping: [
    `UploadMany.uploadAll(UploadMany.directory("d", "p"), { onFailure: "stop" })`,
    `Stream.Stream<UploadMany.Completed<Upload.UploadRequest<never, FileSystem>> | UploadMany.Skipped<Upload.UploadRequest<never, FileSystem>>, Upload.UploadError, CheckpointStore.CheckpointStore | FileSystem | OssClient.OssClient | Path>`
  ],
  sink: [
    `Upload.sink({ key: "k" })`,
    `Sink<UploadResult, Uint8Array<ArrayBufferLike>, never, Upload.UploadError, OssClient.OssClient>`
  ],
  abort: [
    `Upload.abort({ key: "k" })`,
    `Effect.Effect<readonly Summary[], CheckpointStore.CheckpointError | OssError.OssError, CheckpointStore.CheckpointStore | OssClient.OssClient>`
  ],
  client: [
    `OssClient.layerConfig()`,
    `Layer<OssClient.OssClient, ConfigError | InvalidRequest, HttpClient>`
  ],
  presigned: [
    `OssClient.layerPresigned({ bucket: "b", sign: () => Effect.succeed("u") })`,
    `Layer<OssClient.OssClient, InvalidRequest, HttpClient>`
  ],
  policies: [`UploadDefaults.layer({ parts: 1 })`, `Layer<never, InvalidRequest, never>`],
  entries: [
    `KeyValueCheckpointStore.layer()`,
    `Layer<CheckpointStore.CheckpointStore, never, KeyValueStore>`
  ],
  source: [`Source.http("https://a.example")`, `Source.Source<never, HttpClient>`]
}

const configuration = {
  extends: "../../tsconfig.base.json",
  compilerOptions: { outDir: "out", noUnusedLocals: false },
  include: ["*.ts"]
}

/** Compiles files in the workspace, so that packages are found as users import them; the diagnostics, and the declarations. */
const compile = Effect.fnUntraced(function* (files: Readonly<Record<string, string>>) {
  const fs = yield* FileSystem.FileSystem
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const directory = yield* fs.makeTempDirectoryScoped({
    directory: `${root}/node_modules`,
    prefix: ".types-"
  })
  yield* fs.writeFileString(`${directory}/tsconfig.json`, JSON.stringify(configuration))
  for (const [name, code] of Object.entries(files)) {
    yield* fs.writeFileString(`${directory}/${name}.ts`, `${imports}${code}\n`)
  }
  const tsc = ChildProcess.make(`${root}/node_modules/.bin/tsc`, [
    "-p",
    directory,
    "--pretty",
    "false"
  ])
  const diagnostics = yield* spawner.string(tsc)
  const declarations = yield* Effect.forEach(Object.keys(files), (name) =>
    Effect.orElseSucceed(fs.readFileString(`${directory}/out/${name}.d.ts`), () => "")
  )
  return { diagnostics, declarations }
})

layer(NodeServices.layer, { excludeTestServices: true })("types", (it) => {
  it.effect("say what is missing or wrong", () =>
    Effect.gen(function* () {
      const names = Object.keys(mistakes)
      const files = names.map((name, index) => [`mistake${index}_`, mistakes[name]![0]] as const)
      const { diagnostics } = yield* compile(Object.fromEntries(files))
      const [, ...found] = diagnostics.split(/^.*?mistake(?=\d+_)/m)
      names.forEach((name, index) => {
        const text = found.filter((one) => one.startsWith(`${index}_`)).join("")
        assert.match(text, mistakes[name]![1], name)
      })
    })
  )

  it.effect("read well in an editor", () =>
    Effect.gen(function* () {
      const code = Object.entries(declared).map(
        ([name, [code]]) => `export const ${name} = ${code}`
      )
      const { diagnostics, declarations } = yield* compile({ declared: code.join("\n") })
      assert.strictEqual(diagnostics, "")
      const printed = Array.from(
        // An editor shows no modules.
        declarations[0]!
          .replaceAll(/import\("[^"]*"\)\./g, "")
          .matchAll(/^export declare const (\w+): ([^]*?);$/gm),
        ([, name, type]) => [name, type]
      )
      assert.deepStrictEqual(
        Object.fromEntries(printed),
        Object.fromEntries(Object.entries(declared).map(([name, [, prints]]) => [name, prints]))
      )
    })
  )
})
