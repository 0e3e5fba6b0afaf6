/** The command as a real process and within this one, and an emulator to talk to, started by the command as well. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { OssClient } from "@effect-oss/core"
import { Screen } from "@effect-oss/terminal"
import { NodeHttpClient, NodeServices } from "@effect/platform-node"
import { ConfigProvider, Context, Deferred, Effect, FileSystem, Layer, Redacted } from "effect"
import * as Cli from "../src/Cli.ts"
import { Output } from "../src/Output.ts"

const bin = fileURLToPath(new URL("../src/bin.ts", import.meta.url))

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
    readonly uid?: number
    /** Closes the reading end of standard output once it has shown something. */
    readonly close?: boolean
    /** What is started in place of the command. */
    readonly script?: string
  } = {}
) {
  const { env = {}, uid, close = false, script = bin } = options
  const done = yield* Deferred.make<Ended>()
  const watchers: Array<() => void> = []
  let out = ""
  let error = ""
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [script, ...args], { uid, env, stdio: ["ignore", "pipe", "pipe"] })
    ),
    (child) =>
      Effect.andThen(
        Effect.sync(() => child.kill("SIGKILL")),
        Deferred.await(done)
      )
  )
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
export const runHere = Effect.fnUntraced(function* (args: ReadonlyArray<string>, env: Env = {}) {
  let out = ""
  let error = ""
  const output = Output.of({
    out: (text) => Effect.sync(() => (out += text)),
    error: (text) => Effect.sync(() => (error += text)),
    screen: Screen.make({ write: (text) => Effect.sync(() => (out += text)) })
  })
  const code = yield* Cli.run(args).pipe(
    Effect.provide([NodeServices.layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))]),
    Effect.provideService(Output, output)
  )
  return ended(code, out, error)
})

/** An emulator with the bucket `bucket`, and a directory for files, for as long as the layer lives. */
export class World extends Context.Service<World>()("test/World", {
  make: Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oss-" })
    yield* fs.chmod(directory, 0o755)
    const flags = ["--access-key-id", keyId, "--access-key-secret", secret, "--bucket", "bucket"]
    const emulator = yield* start(["emulator", ...flags])
    const announced = yield* emulator.shows("\n")
    const endpoint = announced.slice(announced.lastIndexOf(" ") + 1).trim()
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
    return { directory, env, endpoint, announced, client, file }
  })
}) {
  static readonly layer = Layer.effect(World, World.make).pipe(
    Layer.provideMerge(NodeServices.layer)
  )
}
