/** Uploads of the output of real commands. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Source, Upload } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, Layer, Option } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { assertWhole, bucket, contentOf, key, partSize, world } from "../support/world.ts"

/** A program of Node's, since that is sure to be there. */
const node = (script: string, options?: ChildProcess.CommandOptions) =>
  ChildProcess.make(process.execPath, ["-e", script], options)

const writes = (size: number) => `process.stdout.write(Buffer.alloc(${size}, "x"))`
const xs = (size: number) => new Uint8Array(size).fill("x".charCodeAt(0))

const upload = (command: ChildProcess.Command, options: Partial<Upload.UploadRequest> = {}) =>
  Upload.upload({ key, partSize, ...options, source: Source.command("dump", command) })

const good = contentOf(1_000)

/** Nothing takes the place of a good object, and the error says why. */
const fails = Effect.fnUntraced(function* (command: ChildProcess.Command) {
  yield* Upload.upload({ key, source: Source.bytes(good) })
  const error = yield* Effect.flip(upload(command))
  const object = yield* (yield* OssEmulator.OssEmulator).object(bucket, key)
  assert.deepStrictEqual(yield* Option.getOrThrow(object).bytes, good)
  if (error._tag !== "SourceError") return assert.fail(error.message)
  assert.strictEqual(error.reason._tag, "SourceUnreadable")
  return error.message
})

const provided = Effect.provide(Layer.merge(world, NodeServices.layer))

describe("Source.command", () => {
  it.live.each([0, 1_000, 3 * partSize + 5])("uploads what a command writes, %s bytes", (size) =>
    Effect.gen(function* () {
      yield* upload(node(writes(size)))
      yield* assertWhole(xs(size))
    }).pipe(provided)
  )

  it.live.each<[string, string, string]>([
    ["ends with another code before it wrote", "process.exitCode = 3", "ended with exit code 3"],
    ["ends with another code half-way", `${writes(1_000)}; process.exitCode = 1`, "exit code 1"],
    [
      "ends with another code after several parts",
      `${writes(3 * partSize + 5)}; process.exitCode = 1`,
      "exit code 1"
    ],
    ["is killed", `${writes(1_000)}; process.kill(process.pid, "SIGKILL")`, "SIGKILL"],
    [
      "says why",
      'console.error("dump: no such table"); process.exitCode = 2',
      "exit code 2: dump: no such table"
    ]
  ])("stores nothing when a command %s", ([, script, problem]) =>
    Effect.gen(function* () {
      assert.include(yield* fails(node(script)), problem)
    }).pipe(provided)
  )

  it.live("stores nothing when the command does not exist, and keeps its arguments to itself", () =>
    Effect.gen(function* () {
      const message = yield* fails(ChildProcess.make("no-such-program", ["--password=secret"]))
      // A directory of PATH that this user may not search makes it EACCES.
      assert.match(
        message,
        /no-such-program could not be started: spawn no-such-program (ENOENT|EACCES)/
      )
      assert.notInclude(message, "secret")
    }).pipe(provided)
  )

  it.live("gives a command no input, so that it doesn't wait for any", () =>
    Effect.gen(function* () {
      yield* upload(node("process.stdin.pipe(process.stdout)"))
      yield* assertWhole(new Uint8Array(0))
    }).pipe(provided)
  )

  it.live("stops the command when the upload is interrupted", () =>
    Effect.gen(function* () {
      const script = `${writes(3 * partSize)}; setInterval(() => process.stdout.write("x"), 10)`
      const emulator = yield* OssEmulator.OssEmulator
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
      const handles: Array<ChildProcessSpawner.ChildProcessHandle> = []
      const watched = {
        ...spawner,
        spawn: (command: ChildProcess.Command) =>
          Effect.tap(spawner.spawn(command), (handle) => Effect.sync(() => handles.push(handle)))
      }
      const uploading = Effect.provideService(
        upload(node(script)),
        ChildProcessSpawner.ChildProcessSpawner,
        watched
      )
      const fiber = yield* Effect.forkChild(uploading)
      yield* emulator.log.pipe(
        Effect.delay("5 millis"),
        Effect.repeat({ until: (log) => log.some(({ operation }) => operation === "uploadPart") })
      )
      assert.isTrue(yield* handles[0]!.isRunning)
      yield* Fiber.interrupt(fiber)
      assert.isFalse(yield* handles[0]!.isRunning)
      assert.strictEqual(yield* emulator.inFlight, 0)
    }).pipe(provided)
  )
})

describe("Source.command of a pipeline", () => {
  const double = node(
    "process.stdin.on('data', (bytes) => { process.stdout.write(bytes); process.stdout.write(bytes) })"
  )
  const copy = "process.stdin.pipe(process.stdout)"

  it.live("uploads what the last command writes", () =>
    Effect.gen(function* () {
      const pipeline = node(writes(1_000)).pipe(
        ChildProcess.pipeTo(double),
        ChildProcess.pipeTo(double)
      )
      yield* upload(pipeline)
      yield* assertWhole(xs(4_000))
    }).pipe(provided)
  )

  it.live("may also take standard error, and give it to another descriptor", () =>
    Effect.gen(function* () {
      const reader = node(
        "require('node:fs').createReadStream(null, { fd: 3 }).pipe(process.stdout)"
      )
      const pipeline = node("process.stderr.write('warning')").pipe(
        ChildProcess.pipeTo(reader, { from: "stderr", to: "fd3" })
      )
      yield* upload(pipeline)
      yield* assertWhole(new TextEncoder().encode("warning"))
    }).pipe(provided)
  )

  it.live.each<[string, ChildProcess.Command, string]>([
    [
      "first",
      node(`${writes(1_000)}; process.exitCode = 7`).pipe(ChildProcess.pipeTo(node(copy))),
      "exit code 7"
    ],
    [
      "middle",
      node(writes(10)).pipe(
        ChildProcess.pipeTo(node("process.exitCode = 8")),
        ChildProcess.pipeTo(node(copy))
      ),
      "exit code 8"
    ],
    [
      "last",
      node(writes(10)).pipe(ChildProcess.pipeTo(node(`${copy}; process.exitCode = 9`))),
      "exit code 9"
    ],
    [
      "missing",
      ChildProcess.make("no-such-program", []).pipe(ChildProcess.pipeTo(node(copy))),
      "no-such-program could not be started"
    ]
  ])("stores nothing when its %s command fails", ([, pipeline, problem]) =>
    Effect.gen(function* () {
      assert.include(yield* fails(pipeline), problem)
    }).pipe(provided)
  )
})
