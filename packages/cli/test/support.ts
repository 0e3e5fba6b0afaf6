/** The command as a real process and within this one, and an emulator to talk to, started by the command as well. */
import { spawn } from "node:child_process"
import { Crc64, OssClient } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Screen } from "@effect-oss/terminal"
import { assert } from "@effect/vitest"
import { NodeHttpClient, NodeServices } from "@effect/platform-node"
import {
  ConfigProvider,
  Context,
  Deferred,
  Effect,
  FileSystem,
  Layer,
  Option,
  Redacted
} from "effect"
import * as Cli from "../src/Cli.ts"
import { Output } from "../src/internal/Output.ts"
import { bin } from "../../../test/support/bin.ts"

export const keyId = "test-key-id"
export const secret = "s3cr3t-that-nobody-may-see"

/** All that the command has written: no secret may be in it. */
export const everything: Array<string> = []

/** How a run ended: its exit code, or the signal that killed it. */
export interface Ended {
  readonly code: number | string
  readonly out: string
  readonly error: string
}

const ended = (code: number | string, out: string, error: string): Ended => {
  everything.push(out, error)
  return { code, out, error }
}

export interface Running {
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Waits until standard output has this text, and yields what it has. */
  readonly shows: (text: string) => Effect.Effect<string>
  readonly ended: Effect.Effect<Ended>
}

type Env = Readonly<Record<string, string>>

/** Starts the command as a process, which is killed with the scope. Its environment is only what is given. */
export const start = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  options: {
    readonly env?: Env
    /** Closes the reading end of standard output once it has shown something. */
    readonly close?: boolean
    /** What is started in place of the command. */
    readonly script?: string
    readonly cwd?: string
    /** What is on standard input. Default: nothing. */
    readonly input?: string | Uint8Array
  } = {}
) {
  const { env = {}, cwd, input, close = false, script = bin } = options
  const done = yield* Deferred.make<Ended>()
  const watchers: Array<() => void> = []
  let out = ""
  let error = ""
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [script, ...args], { env, cwd, stdio: ["pipe", "pipe", "pipe"] })
    ),
    (child) =>
      Effect.andThen(
        Effect.sync(() => child.kill("SIGKILL")),
        Deferred.await(done)
      )
  )
  // A command that doesn't read it may end before it is written.
  child.stdin.on("error", () => {}).end(input)
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text
    for (const watch of watchers) watch()
    if (close) child.stdout.destroy()
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => (error += text))
  child.on("close", (code, signal) =>
    Deferred.doneUnsafe(done, Effect.succeed(ended(code ?? String(signal), out, error)))
  )
  const shown = (text: string) =>
    Effect.callback<string>((resume) => {
      const watch = () => (out.includes(text) ? resume(Effect.succeed(out)) : undefined)
      watchers.push(watch)
      watch()
    })
  const running: Running = {
    kill: (signal) => Effect.sync(() => child.kill(signal)),
    ended: Deferred.await(done),
    shows: (text) =>
      Effect.raceFirst(
        shown(text),
        Effect.flatMap(Deferred.await(done), ({ error }) =>
          Effect.die(new Error(`it ended without "${text}": ${error}`))
        )
      )
  }
  return running
})

/** Runs the command as a process, to its end. */
export const run = (args: ReadonlyArray<string>, options?: Parameters<typeof start>[1]) =>
  Effect.scoped(Effect.flatMap(start(args, options), ({ ended }) => ended))

/** Runs the command within this process, to its end. */
export const runHere = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  env: Env = {},
  options: {
    /** Of a terminal. Default: it is none. */
    readonly columns?: number
    /** Whether anybody reads standard output. Default: true. */
    readonly isRead?: boolean
  } = {}
) {
  const { columns, isRead = true } = options
  let out = ""
  let error = ""
  const output = Output.of({
    out: (text) => Effect.sync(() => (out += text)),
    error: (text) => Effect.sync(() => (error += text)),
    written: Effect.void,
    isRead: Effect.succeed(isRead),
    screen: Screen.make({
      write: (text) => Effect.sync(() => (out += text)),
      size: columns === undefined ? undefined : Effect.succeed({ columns, rows: 24 })
    })
  })
  const code = yield* Cli.run(args).pipe(
    Effect.provide([NodeServices.layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))]),
    Effect.provideService(Output, output)
  )
  return ended(code, out, error)
})

export const KiB = 1024
/** Many parts of a small file. */
export const small = ["--part-size", "100KiB", "--parallel", "2"]

/** Lines of JSON. */
export const parse = (out: string) =>
  out
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))

/** Fails if a secret or a stack was written by any run so far. */
export const nothingSecret = () => {
  assert.isNotEmpty(everything)
  for (const text of everything) {
    assert.notInclude(text, secret)
    assert.notMatch(text, /\n {4}at /)
  }
}

/** Fails unless the object is the file, no upload is open and no checkpoint is left. */
export const settled = Effect.fnUntraced(function* (key: string, bytes: Uint8Array) {
  const { client, directory } = yield* World
  const { size, crc64 } = yield* client.head(key)
  assert.strictEqual(size, bytes.length)
  assert.deepStrictEqual(crc64, Option.some(Crc64.of(bytes)))
  assert.deepStrictEqual((yield* client.listUploads({})).uploads, [])
  assert.deepStrictEqual(yield* checkpointFiles(directory), [])
})

/** Of the store, without its directories. */
export const checkpointFiles = (directory: string) =>
  FileSystem.FileSystem.use((fs) =>
    fs.readDirectory(`${directory}/.local/state/effect-oss`, { recursive: true })
  ).pipe(Effect.map((paths) => paths.filter((path) => path.includes("."))))

/** An emulator with the bucket `bucket`, and a directory for files, for as long as the layer lives. */
export class World extends Context.Service<World>()("test/World", {
  make: Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oss-" })
    yield* fs.chmod(directory, 0o755)
    const emulator = yield* OssEmulator.OssEmulator
    const endpoint = emulator.url
    const env: Env = {
      OSS_ACCESS_KEY_ID: keyId,
      OSS_ACCESS_KEY_SECRET: secret,
      OSS_ENDPOINT: endpoint,
      OSS_PATH_STYLE: "true",
      HOME: directory
    }
    const client = yield* Effect.map(
      Layer.build(
        OssClient.layer({
          bucket: "bucket",
          endpoint,
          pathStyle: true,
          credentials: { accessKeyId: keyId, accessKeySecret: Redacted.make(secret) }
        }).pipe(Layer.provide(NodeHttpClient.layerNodeHttp))
      ),
      Context.get(OssClient.OssClient)
    )
    /** A file of so many bytes, none like its neighbour. */
    const file = Effect.fnUntraced(function* (name: string, size: number) {
      const path = `${directory}/${name}`
      const bytes = Uint8Array.from({ length: size }, (_, index) => (index * index) >> 7)
      yield* fs.writeFile(path, bytes)
      return { path, bytes }
    })
    return { directory, env, endpoint, client, emulator, file }
  })
}) {
  static readonly layer = Layer.effect(World, World.make).pipe(
    Layer.provide(
      OssEmulator.layer({
        credentials: [{ accessKeyId: keyId, accessKeySecret: secret }],
        buckets: ["bucket"]
      })
    ),
    Layer.provideMerge(NodeServices.layer)
  )
}
