/** Bytes that come once: standard input, pipes, and the output of programs. */
import { assert, layer } from "@effect/vitest"
import { Fault } from "@effect-oss/emulator"
import { Effect, Option } from "effect"
import { execFileSync } from "node:child_process"
import { checkpointFiles, nothingSecret, parse, run, settled, start, World } from "../support.ts"

const bytesOf = (size: number) =>
  Uint8Array.from({ length: size }, (_, index) => (index * index) >> 5)

layer(World.layer, { excludeTestServices: true })("a stream", (it) => {
  it.effect("on standard input becomes an object, in memory that doesn't grow with it", () =>
    Effect.gen(function* () {
      const { env } = yield* World
      const bytes = bytesOf(1_000_000)
      const args = ["upload", "-", "oss://bucket/stdin", "--part-size", "100KiB", "--json"]
      const { code, out, error } = yield* run(args, { env, input: bytes })
      assert.deepStrictEqual([code, error], [0, ""])
      assert.strictEqual(parse(out)[0].size, null)
      yield* settled("stdin", bytes)
    })
  )

  it.effect("that is empty stores nothing, unless that is allowed", () =>
    Effect.gen(function* () {
      const { env, emulator } = yield* World
      for (const given of [["-"], ["--command", "true"]]) {
        const args = ["upload", ...given, "oss://bucket/nothing"]
        const { code, error } = yield* run(args, { env, input: "" })
        assert.match(error, /error: .* it is empty\n {2}→ nothing was stored: .*--allow-empty/)
        assert.strictEqual(code, 3)
        assert.isTrue(Option.isNone(yield* emulator.object("bucket", "nothing")))
        assert.strictEqual((yield* run([...args, "--allow-empty"], { env, input: "" })).code, 0)
        yield* settled("nothing", new Uint8Array())
        yield* emulator.deleteObject("bucket", "nothing")
      }
    })
  )

  it.effect("out of a program becomes an object if the program ends well", () =>
    Effect.gen(function* () {
      const { env, emulator } = yield* World
      const well = ["upload", "--command", "printf one; printf two", "oss://bucket/well"]
      assert.strictEqual((yield* run(well, { env })).code, 0)
      yield* settled("well", new TextEncoder().encode("onetwo"))
      for (const command of ["head -c 300000 /dev/zero; exit 3", "exit 7", "no-such-program"]) {
        const args = ["upload", "--command", command, "oss://bucket/ill", "--part-size", "100KiB"]
        const { code, error } = yield* run(args, { env })
        assert.strictEqual(code, 3)
        assert.match(error, /error: .*it ended with exit code (3|7|127)\n {2}→ nothing was stored/)
        assert.isTrue(Option.isNone(yield* emulator.object("bucket", "ill")))
      }
      assert.deepStrictEqual(yield* emulator.uploads("bucket"), [])
    })
  )

  it.effect("out of a named pipe becomes an object", () =>
    Effect.gen(function* () {
      const { env, directory } = yield* World
      const pipe = `${directory}/pipe`
      execFileSync("mkfifo", [pipe])
      const upload = yield* start(["upload", pipe, "oss://bucket/piped"], { env })
      yield* Effect.sync(() => execFileSync("sh", ["-c", `printf piped > ${pipe}`]))
      assert.strictEqual((yield* upload.ended).code, 0)
      yield* settled("piped", new TextEncoder().encode("piped"))
    })
  )

  it.effect("that can't be stored leaves nothing behind, and says to begin again", () =>
    Effect.gen(function* () {
      const { env, emulator, directory } = yield* World
      yield* emulator.inject(
        Fault.answer({ operation: "uploadPart", partNumber: 2, status: 403, code: "AccessDenied" })
      )
      const args = ["upload", "-", "oss://bucket/denied", "--part-size", "100KiB"]
      const { code, error } = yield* run(args, { env, input: bytesOf(300_000) })
      assert.strictEqual(code, 3)
      assert.include(error, "AccessDenied")
      assert.deepStrictEqual(yield* emulator.uploads("bucket"), [])
      assert.deepStrictEqual(yield* checkpointFiles(directory), [])
    })
  )

  it.effect("needs a whole key, and stands alone", () =>
    Effect.gen(function* () {
      const { env } = yield* World
      for (const [args, problem] of [
        [["-", "oss://bucket/"], /-: oss:\/\/bucket\/ doesn't name an object/],
        [["--command", "true", "oss://bucket/a/"], /--command: .* doesn't name an object/],
        [["-", "x", "oss://bucket/a"], /- can't be uploaded together with files/],
        [["--command", "true", "x", "oss://bucket/a"], /--command can't be uploaded together/]
      ] as const) {
        const { code, error } = yield* run(["upload", ...args], { env, input: "" })
        assert.match(error, problem)
        assert.strictEqual(code, 2)
      }
    })
  )

  it.effect("no secret and no stack was ever written", () => Effect.sync(nothingSecret))
})
