/** Runs an example as its reader would: by Node, in a directory, with an environment that says where OSS is. */
import { NodeServices } from "@effect/platform-node"
import { assert } from "@effect/vitest"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, FileSystem, Layer, Option, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const bucket = "examples"
export const keys = { accessKeyId: "id", accessKeySecret: "secret" }
export const sts = {
  accessKeyId: "STS.id",
  accessKeySecret: "sts-secret",
  securityToken: "token"
}

const world = Layer.merge(OssEmulator.layer({ credentials: [keys, sts] }), NodeServices.layer)

/** As a process; `file` is relative to the examples. */
export const start = Effect.fnUntraced(function* (
  file: string,
  directory: string,
  environment: Readonly<Record<string, string>> = {}
) {
  const { url } = yield* OssEmulator.OssEmulator
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url))
  return yield* ChildProcess.make(process.execPath, [path], {
    cwd: directory,
    extendEnv: true,
    env: {
      // As in an installed program, where nothing is compiled anew at each start.
      NODE_COMPILE_CACHE: join(tmpdir(), "effect-oss-examples-cache"),
      OSS_BUCKET: bucket,
      OSS_ENDPOINT: url.replace("127.0.0.1", "localhost"),
      OSS_PATH_STYLE: "true",
      OSS_ACCESS_KEY_ID: keys.accessKeyId,
      OSS_ACCESS_KEY_SECRET: keys.accessKeySecret,
      ...environment
    }
  })
})

/** What it prints, and how it exits. */
export const run = Effect.fnUntraced(function* (...args: Parameters<typeof start>) {
  const child = yield* start(...args)
  const output = Stream.mkString(Stream.decodeText(child.all))
  const [text, exitCode] = yield* Effect.all([output, child.exitCode], { concurrency: 2 })
  return { output: text, exitCode }
}, Effect.scoped)

/** What it prints; fails unless it exits with 0. */
export const succeeds = (...args: Parameters<typeof start>) =>
  Effect.map(run(...args), ({ exitCode, output }) => {
    assert.strictEqual(exitCode, 0, output)
    return output
  })

/** Runs a test in a directory of its own, with an emulator of its own. */
export const inDirectory = <A, E, R>(test: (directory: string) => Effect.Effect<A, E, R>) =>
  FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped()).pipe(
    Effect.flatMap(test),
    Effect.scoped,
    Effect.provide(world)
  )

/** The bytes of an object. */
export const stored = Effect.fnUntraced(function* (key: string) {
  const emulator = yield* OssEmulator.OssEmulator
  return yield* Option.getOrThrow(yield* emulator.object(bucket, key)).bytes
})

/** The text of an object that nothing is left behind of. */
export const storedText = Effect.fnUntraced(function* (key: string) {
  const emulator = yield* OssEmulator.OssEmulator
  assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
  return new TextDecoder().decode(yield* stored(key))
})
