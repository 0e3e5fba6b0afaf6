import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { fileURLToPath } from "node:url"
import {
  KiB,
  nothingSecret,
  parse,
  run,
  runHere,
  secret,
  settled,
  small,
  start,
  World
} from "./support.ts"

const asNobody = fileURLToPath(new URL("asNobody.ts", import.meta.url))

layer(World.layer, { excludeTestServices: true })("the command ends", (it) => {
  it.effect("one signal, even if it comes twice, stops cleanly; a later one at once", () =>
    Effect.gen(function* () {
      const stubborn = fileURLToPath(new URL("stubborn.ts", import.meta.url))
      const polite = yield* start(["500"], { script: stubborn })
      yield* polite.shows("ready")
      yield* polite.kill("SIGINT")
      yield* polite.kill("SIGINT")
      const first = yield* polite.ended
      assert.deepStrictEqual([first.out, first.code], ["ready\nstopped\n", 130])
      const impatient = yield* start(["60000"], { script: stubborn })
      yield* impatient.shows("ready")
      yield* impatient.kill("SIGINT")
      // What comes too soon is taken for the same one.
      const again = Effect.forever(Effect.delay(impatient.kill("SIGINT"), "1 second"))
      const { code, out, error } = yield* Effect.raceFirst(impatient.ended, again)
      assert.strictEqual(
        error,
        "error: interrupted by SIGINT again, stopped at once\n  → run the same command again to carry on\n"
      )
      assert.deepStrictEqual([out, code], ["ready\n", 130])
    })
  )

  it.effect("a hangup keeps what was sent, and ends with 129", () =>
    Effect.gen(function* () {
      const stubborn = fileURLToPath(new URL("stubborn.ts", import.meta.url))
      const running = yield* start(["0"], { script: stubborn })
      yield* running.shows("ready")
      yield* running.kill("SIGHUP")
      const { out, code } = yield* running.ended
      assert.deepStrictEqual([out, code], ["ready\nstopped\n", 129])
    })
  )

  it.effect("a command that npx started ends once npx has gone", () =>
    Effect.gen(function* () {
      const stubborn = fileURLToPath(new URL("stubborn.ts", import.meta.url))
      const npx = fileURLToPath(new URL("npx.ts", import.meta.url))
      const running = yield* start([stubborn], { script: npx, env: { npm_command: "exec" } })
      yield* running.shows("ready")
      yield* running.kill("SIGKILL")
      // The command has standard output open for as long as it is at work.
      assert.strictEqual((yield* running.ended).out, "ready\nstopped\n")
    })
  )

  it.effect("output that a full disk swallowed is no success", () =>
    Effect.gen(function* () {
      const { env } = yield* World
      const full = fileURLToPath(new URL("full.ts", import.meta.url))
      const { code, error } = yield* run(["--version"], { script: full, env })
      assert.strictEqual(code, 1)
      assert.match(error, /^error: standard output: .*no space left.*\n {2}→ free space/)
    })
  )

  it.effect("an old Node is told of, and what it lacks isn't asked for", () =>
    Effect.gen(function* () {
      const versions = `{...process.versions, node: "20.20.2"}`
      const old = `Object.defineProperty(process, "versions", {value: ${versions}})`
      const env = { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(old)}"` }
      const { code, out, error } = yield* run(["--version"], { env })
      assert.strictEqual(
        error,
        "error: effect-oss needs Node 22.19 or later, and this is 20.20.2\n  → run it by a newer one, or put that first in PATH\n"
      )
      assert.deepStrictEqual([out, code], ["", 2])
    })
  )

  it.effect("a reader who goes away doesn't stop the upload", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path, bytes } = yield* file("unread.bin", 1_000 * KiB)
      const args = ["upload", path, "oss://bucket/unread", "--json", ...small]
      const { code, error } = yield* run(args, { env, close: true })
      assert.deepStrictEqual([code, error], [0, ""])
      yield* settled("unread", bytes)
    })
  )

  it.effect("a wrong secret ends it with 3, without showing it", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path } = yield* file("denied.bin", 10)
      const wrong = { ...env, OSS_ACCESS_KEY_SECRET: `not-${secret}` }
      const args = ["upload", path, "oss://bucket/", "--json"]
      const { code, out, error } = yield* runHere(args, wrong)
      assert.strictEqual(code, 3)
      assert.match(error, /^error: .*SignatureDoesNotMatch.*\n {2}→ .*OSS_ACCESS_KEY_SECRET.*\n$/)
      assert.deepInclude(parse(out).at(-1), { _tag: "Failed", resumable: false, exitCode: 3 })
    })
  )

  it.effect("an unknown bucket ends it with 3", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path } = yield* file("bucketless.bin", 10)
      const { code, error } = yield* runHere(["upload", path, "oss://nowhere/"], env)
      assert.match(error, /^error: .*the bucket does not exist.*\n {2}→ .*"nowhere".*\n$/)
      assert.strictEqual(code, 3)
    })
  )

  it.effect("without a server it ends with 1 after its retries, and flags win over variables", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path } = yield* file("serverless.bin", 300 * KiB)
      const flags = ["--endpoint", "http://127.0.0.1:1", "--json", "--retry-for=0s", ...small]
      const { code, out, error } = yield* runHere(["upload", path, "oss://bucket/", ...flags], env)
      assert.strictEqual(code, 1)
      assert.match(error, /^error: .*connection failed.*\n {2}→ .*--endpoint.*to carry on\n$/)
      assert.lengthOf(
        parse(out).filter(({ _tag }) => _tag === "Retrying"),
        4
      )
      assert.deepInclude(parse(out).at(-1), { _tag: "Failed", resumable: true, exitCode: 1 })
    })
  )

  it.effect.runIf(process.getuid?.() === 0)(
    "what this user may not read or write ends it with 2",
    () =>
      Effect.gen(function* () {
        const { env, file, directory } = yield* World
        const fs = yield* FileSystem.FileSystem
        const readable = yield* file("readable.bin", 10)
        const unreadable = yield* file("unreadable.bin", 10)
        yield* fs.chmod(unreadable.path, 0o000)
        const open = `${directory}/open`
        yield* fs.makeDirectory(open)
        yield* fs.chmod(open, 0o777)
        const upload = (path: string, checkpoints: string) =>
          run(["upload", path, "oss://bucket/", "--checkpoint-dir", checkpoints], {
            env,
            script: asNobody
          })
        const [source, store] = yield* Effect.all(
          [upload(unreadable.path, open), upload(readable.path, `${directory}/closed`)],
          { concurrency: 2 }
        )
        assert.match(
          source.error,
          /^error: .*unreadable\.bin: cannot be read.*\n {2}→ .*chmod.*\n$/
        )
        assert.match(store.error, /^error: .*closed: .*\n {2}→ .*--checkpoint-dir.*\n$/)
        assert.deepStrictEqual([source.code, store.code], [2, 2])
      })
  )

  it.effect("an upload that runs already ends the second with 1", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path } = yield* file("twice.bin", 6_000 * KiB)
      const args = ["upload", path, "oss://bucket/twice", "--json", ...small]
      const first = yield* start(args, { env })
      yield* first.shows(`"PartUploaded"`)
      const { code, error } = yield* runHere(args, env)
      assert.match(error, /in use by .*\n {2}→ wait/)
      assert.strictEqual(code, 1)
      assert.strictEqual((yield* first.ended).code, 0)
    })
  )

  it.effect("a port that is taken ends the emulator with 2", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* World
      const port = endpoint.slice(endpoint.lastIndexOf(":") + 1)
      const { code, error } = yield* runHere(["emulator", "--port", port])
      assert.match(error, /^error: --port: another program listens on port \d+\n {2}→ .*\n$/)
      assert.strictEqual(code, 2)
    })
  )

  it.effect("no secret and no stack was ever written", () => Effect.sync(nothingSecret))
})
