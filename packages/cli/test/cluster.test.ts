/** The commands about many machines, with a runner on SQLite as a process of its own. */
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Fiber } from "effect"
import { keyId, run, runHere, secret, start, World } from "./support.ts"

const unknown = "0".repeat(32)

/** Commands with a database of the test's own. */
const cluster = Effect.gen(function* () {
  const { env, directory, file } = yield* World
  const fs = yield* FileSystem.FileSystem
  const state = yield* fs.makeTempDirectoryScoped()
  const own = { ...env, EFFECT_OSS_DATABASE_URL: `${state}/cluster.sqlite` }
  return {
    directory,
    state,
    file,
    env: own,
    here: (...args: ReadonlyArray<string>) => runHere(args, own),
    runner: (...args: ReadonlyArray<string>) =>
      Effect.tap(
        start(["runner", "--root", directory, ...args], {
          env: { ...own, ENTITY_MESSAGE_POLL_INTERVAL: "100 millis" }
        }),
        ({ shows }) => shows("ready")
      )
  }
})

layer(World.layer, { excludeTestServices: true, timeout: "1 minute" })("many machines", (it) => {
  it.effect("status understands what submit prints, with and without a runner", () =>
    Effect.gen(function* () {
      const { here, runner, file } = yield* cluster
      const { path } = yield* file("submitted.bin", 300_000)
      const submitted = yield* here("submit", path, "oss://bucket/")
      assert.match(submitted.out, /^[0-9a-f]{32}\n$/)
      const id = submitted.out.trim()
      assert.strictEqual((yield* here("status", id)).out, `${id} waiting for a runner\n`)
      const listed = yield* here("list", "--open")
      assert.match(listed.out, /^ID .*OBJECT\n[0-9a-f]{32} +waiting .* oss:\/\/bucket\/submitted/)
      const watching = yield* Effect.forkChild(here("status", "--watch", id))
      yield* Effect.sleep("3500 millis")
      yield* runner("--target", "oss://bucket")
      const watched = yield* Fiber.join(watching)
      assert.match(watched.error, /warning: no runner is at work.*effect-oss runner/)
      assert.match(watched.out, /waiting for a runner\n[^]* completed, 293\.0 KiB, CRC64 \d+\n$/)
      assert.strictEqual(watched.code, 0)
      const [value] = (yield* here("list", "--json")).out.split("\n")
      const { _tag, key, size, ended } = JSON.parse(value ?? "")
      assert.deepStrictEqual([_tag, key, size], ["Completed", "submitted.bin", 300_000])
      assert.isString(ended)
      assert.strictEqual((yield* here("list", "--open")).out, "no upload is under way\n")
      const again = yield* here("submit", path, "oss://bucket/", "--wait")
      assert.match(again.out, /completed, was there already/)
      const forced = yield* here("submit", path, "oss://bucket/", "--wait", "--again")
      assert.match(forced.out, / completed, 293/)
      assert.match((yield* here("cleanup", "--older-than", "1d")).out, /^forgot 0 uploads/)
      assert.match((yield* here("cleanup", "--older-than", "0s")).out, /^forgot 3 uploads/)
      assert.strictEqual((yield* here("status", id)).code, 2)
    }).pipe(Effect.scoped)
  )

  it.effect("a failed upload ends status, as it would end upload", () =>
    Effect.gen(function* () {
      const { here, runner, file } = yield* cluster
      yield* runner()
      const { path } = yield* file("failing.bin", 1_000)
      const { out, code } = yield* here("submit", path, "oss://no-such-bucket/", "--wait")
      assert.strictEqual(code, 3)
      const [id = ""] = out.split("\n")
      const status = yield* here("status", id)
      assert.strictEqual(status.code, 3)
      assert.match(status.error, /NoSuchBucket|no-such-bucket/)
      assert.match((yield* here("list")).out, / failed /)
    }).pipe(Effect.scoped)
  )

  it.effect("the database holds no key of OSS, and only its owner may look", () =>
    Effect.gen(function* () {
      const { here, runner, file, state } = yield* cluster
      yield* runner()
      const { path } = yield* file("kept.bin", 1_000)
      assert.strictEqual((yield* here("submit", path, "oss://bucket/", "--wait")).code, 0)
      const fs = yield* FileSystem.FileSystem
      let bytes = 0
      for (const name of yield* fs.readDirectory(state, { recursive: true })) {
        const { type, mode } = yield* fs.stat(`${state}/${name}`)
        assert.strictEqual(mode & 0o077, 0, name)
        if (type !== "File") continue
        const content = Buffer.from(yield* fs.readFile(`${state}/${name}`)).toString("latin1")
        bytes += content.length
        for (const key of [keyId, secret]) assert.notInclude(content, key, name)
      }
      assert.isAbove(bytes, 10_000)
    }).pipe(Effect.scoped)
  )

  it.effect("a directory becomes a batch, whose failures are told and end the command", () =>
    Effect.gen(function* () {
      const { here, runner, directory } = yield* cluster
      const fs = yield* FileSystem.FileSystem
      yield* fs.makeDirectory(`${directory}/photos/deep`, { recursive: true })
      const names = ["a.jpg", "b.jpg", "deep/c.jpg"]
      for (const name of names) yield* fs.writeFileString(`${directory}/photos/${name}`, name)
      const submitted = yield* here("submit", `${directory}/photos`, "oss://bucket/")
      assert.match(submitted.out, /^[0-9a-f]{32}\n$/)
      yield* fs.remove(`${directory}/photos/b.jpg`)
      yield* runner()
      const { out, code, error } = yield* here("status", "--watch", submitted.out.trim())
      assert.match(out, /1 files failed; completed, 2 files, 15 B\n$/)
      assert.strictEqual(code, 2)
      assert.match(error, /1 of 3 uploads failed/)
      const { client } = yield* World
      assert.strictEqual((yield* client.head("photos/deep/c.jpg")).size, 10)
      assert.match((yield* here("list")).out, / failed +100 % +3 +20 B .*oss:\/\/bucket\/\n/)
      yield* fs.makeDirectory(`${directory}/empty`)
      const empty = yield* here("submit", `${directory}/empty`, "oss://bucket/")
      assert.match(empty.error, /there is no file in .*empty/)
    }).pipe(Effect.scoped)
  )

  it.effect("an unknown id is an error, and nothing is steered", () =>
    Effect.gen(function* () {
      const { here, file } = yield* cluster
      const { path } = yield* file("waiting.bin", 1_000)
      const id = (yield* here("submit", path, "oss://bucket/")).out.trim()
      for (const verb of ["status", "pause", "resume", "cancel"]) {
        const { code, error } = yield* here(verb, id, unknown)
        assert.strictEqual(code, 2)
        assert.match(error, /there is no upload 0{32}.*\n.*effect-oss list/)
      }
      assert.match((yield* here("status", id)).out, /waiting for a runner/)
      assert.match((yield* here("pause", id)).out, /paused before it began/)
    }).pipe(Effect.scoped)
  )

  it.effect("a runner says all that it lacks, and takes no work", () =>
    Effect.gen(function* () {
      const { env, directory } = yield* cluster
      const without = (name: string) =>
        Object.fromEntries(Object.entries(env).filter(([key]) => key !== name))
      const noKeys = yield* run(["runner", "--root", `${directory}/missing`], {
        env: without("OSS_ACCESS_KEY_ID")
      })
      assert.strictEqual(noKeys.code, 2)
      assert.notInclude(noKeys.out, "ready")
      assert.match(noKeys.error, /OSS_ACCESS_KEY_ID is not set/)
      assert.match(noKeys.error, /there is no directory .*missing/)
      const denied = yield* run(
        ["runner", "--target", "oss://bucket/ok/", "--target", "no-such-bucket"],
        { env }
      )
      assert.strictEqual(denied.code, 3)
      assert.match(denied.error, /the runner is not ready: .*no-such-bucket/)
      const { client } = yield* World
      assert.deepStrictEqual((yield* client.listUploads({})).uploads, [])
    }).pipe(Effect.scoped)
  )
})
