/** Runs an example as its reader would: by Node, in a directory, with an environment that says where OSS is. */
import { NodeServices } from "@effect/platform-node"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, FileSystem, Layer, Option, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"

export const bucket = "examples"
const keys = { accessKeyId: "id", accessKeySecret: "secret" }

const world = Layer.merge(OssEmulator.layer({ credentials: [keys] }), NodeServices.layer)

/** What it prints, and how it exits. `file` is relative to the examples. */
export const run = Effect.fnUntraced(function* (
  file: string,
  directory: string,
  environment: Readonly<Record<string, string>> = {}
) {
  const { url } = yield* OssEmulator.OssEmulator
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url))
  const child = yield* ChildProcess.make(process.execPath, [path], {
    cwd: directory,
    extendEnv: true,
    env: {
      OSS_BUCKET: bucket,
      OSS_ENDPOINT: url.replace("127.0.0.1", "localhost"),
      OSS_PATH_STYLE: "true",
      OSS_ACCESS_KEY_ID: keys.accessKeyId,
      OSS_ACCESS_KEY_SECRET: keys.accessKeySecret,
      ...environment
    }
  })
  const output = Stream.mkString(Stream.decodeText(child.all))
  const [text, exitCode] = yield* Effect.all([output, child.exitCode], { concurrency: 2 })
  return { output: text, exitCode }
}, Effect.scoped)

/** Runs a test in a directory of its own, with an emulator of its own. */
export const inDirectory = <A, E, R>(test: (directory: string) => Effect.Effect<A, E, R>) =>
  FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped()).pipe(
    Effect.flatMap(test),
    Effect.scoped,
    Effect.provide(world)
  )

/** The bytes of an object that nothing is left behind of. */
export const stored = Effect.fnUntraced(function* (key: string) {
  const emulator = yield* OssEmulator.OssEmulator
  return yield* Option.getOrThrow(yield* emulator.object(bucket, key)).bytes
})
