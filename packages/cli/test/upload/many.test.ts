import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { KiB, nothingSecret, parse, runHere, settled, small, start, World } from "../support.ts"

layer(World.layer, { excludeTestServices: true })("several files", (it) => {
  it.effect("several files and directories go up, and only what has changed goes up again", () =>
    Effect.gen(function* () {
      const { env, file, directory, client } = yield* World
      const fs = yield* FileSystem.FileSystem
      yield* fs.makeDirectory(`${directory}/photos/.cache`, { recursive: true })
      const single = yield* file("single.bin", 300 * KiB)
      const one = yield* file("photos/1.jpg", 300 * KiB)
      yield* file("photos/2.txt", 10)
      yield* file("photos/.cache/3.jpg", 10)
      const paths = [single.path, `${directory}/photos`]
      const flags = ["--include", "*.jpg", "--exclude", ".cache", "--skip-identical"]
      const args = ["upload", ...paths, "oss://bucket/many/", ...flags]
      const first = yield* runHere(args, env)
      assert.deepStrictEqual([first.code, first.error], [0, ""])
      assert.match(first.out, /\n2 uploaded, 600\.0 KiB sent \([^)]*\)\n$/)
      const keys = ["many/photos/1.jpg", "many/single.bin"]
      for (const key of keys)
        assert.include(first.out, `bucket/${key}: 300.0 KiB, verified by CRC64\n`)
      yield* settled("many/photos/1.jpg", one.bytes)
      yield* settled("many/single.bin", single.bytes)
      assert.strictEqual(
        (yield* Effect.flip(client.head("many/photos/2.txt"))).reason._tag,
        "NoSuchKey"
      )
      yield* fs.writeFileString(`${directory}/photos/1.jpg`, "changed")
      const second = yield* runHere([...args, "--json"], env)
      const results = parse(second.out)
        .filter(({ _tag }) => _tag === "Completed")
        .map(({ _tag, key, result }) => [_tag, key, result.skipped])
      assert.sameDeepMembers(results, [
        ["Completed", "many/photos/1.jpg", undefined],
        ["Completed", "many/single.bin", true]
      ])
    })
  )

  it.effect("of several files one fails, and the others are uploaded", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path } = yield* file("fine.bin", 10)
      const args = ["upload", "/no/such/file", path, "oss://bucket/some/"]
      const { code, out, error } = yield* runHere(args, env)
      assert.match(
        error,
        /^error: \/no\/such\/file: no such file\n {2}→ [^\n]*\nerror: 1 of 2 uploads failed\n {2}→ /
      )
      assert.match(out, /^bucket\/some\/fine\.bin: 10 B, verified by CRC64\n1 uploaded, 1 failed, /)
      assert.strictEqual(code, 3)
      assert.include(error, "; what is uploaded is remembered, and not sent again\n")
      const json = parse((yield* runHere([...args, "--json"], env)).out)
      const failed = json.find(({ key }) => key === "some/file")
      assert.deepInclude(failed, { _tag: "Failed", resumable: false, exitCode: 3 })
      assert.deepInclude(json.at(-1), { _tag: "Failed", message: "1 of 2 uploads failed" })
    })
  )

  it.effect("of several files each error names its object", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const paths = [yield* file("one.bin", 300 * KiB), yield* file("two.bin", 300 * KiB)]
      const args = [
        "upload",
        ...paths.map(({ path }) => path),
        "oss://bucket/some/",
        ...small,
        "--retry-for",
        "0s"
      ]
      const { code, error } = yield* runHere(args, { ...env, OSS_ENDPOINT: "http://127.0.0.1:1" })
      assert.match(error, /^error: .*some\/one\.bin: .*connection failed: /m)
      assert.match(error, /^error: .*some\/two\.bin: .*connection failed: /m)
      assert.match(error, /\nerror: 2 of 2 uploads failed\n {2}→ .*again to carry on; /)
      assert.strictEqual(code, 1)
    })
  )

  it.effect("of several files that are interrupted, it says what was done and what to add", () =>
    Effect.gen(function* () {
      const { env, file, directory } = yield* World
      const fs = yield* FileSystem.FileSystem
      yield* fs.makeDirectory(`${directory}/stopped`)
      yield* file("stopped/1.bin", 10)
      yield* file("stopped/2.bin", 3_000 * KiB)
      const args = ["upload", `${directory}/stopped`, "oss://bucket/", "--limit-rate", "300KiB"]
      const upload = yield* start(args, { env })
      yield* upload.shows("1.bin: 10 B")
      yield* upload.kill("SIGINT")
      const { code, out, error } = yield* upload.ended
      assert.match(
        out,
        /\n1 uploaded, .* sent .*; what is uploaded is remembered, and not sent again\n$/
      )
      assert.match(error, /^error: interrupted by SIGINT\n/)
      assert.strictEqual(code, 130)
      yield* runHere(["abort", "oss://bucket/stopped/2.bin"], env)
    })
  )

  it.effect("no secret and no stack was ever written", () => Effect.sync(nothingSecret))
})
