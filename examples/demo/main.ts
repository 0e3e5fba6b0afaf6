/**
 * The main job, end to end: a file goes up with the real client, the process
 * is killed half-way, a second one carries on, and the result is compared byte
 * by byte. Fails with exit code 1 if anything is not as promised.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Text } from "@effect-oss/terminal"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Console, Data, Effect, FileSystem, Layer, Option } from "effect"
import { differenceFrom } from "./compare.ts"
import { uploadProcess } from "./uploadProcess.ts"

const bucket = "demo"
const key = "demo/upload.bin"
const credential = { accessKeyId: "demo", accessKeySecret: "demo-secret" }
const parallel = 5

/** A little over 40 parts, so that there is something to see. */
const partSizeFor = (size: number) => Math.max(100 * 1024, Math.ceil(size / 44 / 65_536) * 65_536)

/** Bad luck on the way of so many parts, before the kill and after it, and some latency so that it can be watched. */
const adversity = (parts: number) => [
  Fault.delay({ operation: "uploadPart", millis: 120, times: Infinity }),
  Fault.answer({
    operation: "uploadPart",
    status: 503,
    code: "ServiceUnavailable",
    skip: Math.floor(parts / 6),
    times: 3
  }),
  Fault.drop({
    operation: "uploadPart",
    at: { bytes: 60_000 },
    partNumber: Math.ceil(parts)
  })
]

class DemoFailed extends Data.TaggedError("DemoFailed")<{ readonly message: string }> {}

const expect = (holds: boolean, promise: string): Effect.Effect<void, DemoFailed> =>
  holds ? Console.log(`  ok: ${promise}`) : new DemoFailed({ message: `not so: ${promise}` })

const demo = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const emulator = yield* OssEmulator.OssEmulator
  const size = Number((yield* fs.stat(file)).size)
  if (size < 1024 * 1024) {
    return yield* new DemoFailed({
      message: `${file} has ${size} bytes: give a file of at least 1 MiB, so that there is something to kill`
    })
  }
  const checkpoints = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oss-demo-" })
  const partSize = partSizeFor(size)
  const run = (killAt?: number) =>
    uploadProcess({
      emulator: emulator.url,
      credential,
      file,
      bucket,
      key,
      checkpoints,
      partSize,
      parallel,
      killAt
    })
  yield* emulator.inject(...adversity(size / partSize))

  yield* Console.log(`\n1. A process uploads ${Text.bytes(size)}; it will be killed at 40 %`)
  const first = yield* run(0.4 * size)
  const [left] = yield* emulator.uploads(bucket)
  const before = left?.parts.length ?? 0
  yield* Console.log(`  killed with SIGKILL when ${percent(first.durable, size)} were durable`)
  yield* expect(first.durable >= 0.4 * size && first.durable < 0.6 * size, "it was killed half-way")
  yield* expect(Option.isNone(yield* emulator.object(bucket, key)), "there is no object yet")

  yield* Console.log(`\n2. The same command again, in a new process`)
  const second = yield* run()
  yield* expect(second.exitCode === 0, "it ended with exit code 0")
  yield* expect(
    second.resumed >= first.durable,
    `it resumed: ${percent(second.resumed, size)} were not sent again`
  )

  yield* Console.log(`\n3. Is everything as promised?`)
  const sent = (yield* emulator.log).filter(({ operation }) => operation === "uploadPart")
  const answered = (status: number) =>
    sent.filter(({ outcome }) => outcome._tag === "Answered" && outcome.status === status)
  const stored = answered(200)
  const parts = new Set(stored.map(({ partNumber }) => partNumber))
  const twice = stored.length - parts.size
  yield* Console.log(
    `  ${parts.size} parts, ${before} on the server at the kill, ${twice} sent twice`
  )
  yield* expect(twice <= parallel, `at most the ${parallel} parts in flight were sent twice`)
  // What the transport sends again over a new connection, the command doesn't hear of.
  const resets = sent.filter(({ outcome }) => outcome._tag === "Dropped")
  yield* expect(
    answered(503).length === 3 && resets.length >= 1,
    "three 503s and a reset were survived"
  )
  const object = yield* emulator
    .object(bucket, key)
    .pipe(Effect.flatMap(Effect.fromOption), Effect.orDie)
  const difference = yield* differenceFrom(file, object.stream)
  yield* expect(
    object.size === size && Option.isNone(difference),
    `the stored object and ${file} are identical, byte by byte`
  )
  yield* expect(
    (yield* emulator.uploads(bucket)).length === 0,
    "no upload is left open on the server"
  )
  yield* expect(
    (yield* fs.readDirectory(checkpoints, { recursive: true })).every(
      (path) => !path.includes(".")
    ),
    "no checkpoint is left behind"
  )
})

const percent = (bytes: number, size: number) => `${Math.floor((100 * bytes) / size)} %`

/** The object is kept in a directory of its own, so that any file fits. */
const layerEmulator = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const dataDir = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oss-demo-" })
    return OssEmulator.layer({ dataDir, buckets: [bucket], credentials: [credential] })
  })
)

demo(process.argv[2] ?? process.execPath).pipe(
  Effect.scoped,
  Effect.tapError((error) => Console.error(`\nFAILED: ${error.message}`)),
  Effect.provide(Layer.provideMerge(layerEmulator, NodeServices.layer)),
  (program) => NodeRuntime.runMain(program, { disableErrorReporting: true })
)
