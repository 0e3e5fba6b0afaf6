import { Crc64 } from "@effect-oss/core"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import {
  KiB,
  checkpointFiles,
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

const sum = (parts: ReadonlyArray<{ readonly size: number }>) =>
  parts.reduce((bytes, { size }) => bytes + size, 0)

layer(World.layer, { excludeTestServices: true })("the command as a process", (it) => {
  it.effect("the version that a process tells before it loads anything is the one of help", () =>
    Effect.gen(function* () {
      const { out } = yield* runHere(["--version"])
      for (const asked of ["--version", "-v", "version"]) {
        assert.deepStrictEqual(yield* run([asked]), { code: 0, out, error: "" })
      }
    })
  )

  it.effect("the emulator prints one line, and ends with 0 on SIGTERM", () =>
    Effect.gen(function* () {
      const emulator = yield* start(["emulator"])
      yield* emulator.shows("\n")
      yield* emulator.kill("SIGTERM")
      const { code, out, error } = yield* emulator.ended
      assert.match(out, /^effect-oss emulator listening on http:\/\/127\.0\.0\.1:\d+\n$/)
      const url = out.trim().replace(/^.* /, "")
      const keys = "OSS_ACCESS_KEY_ID=emulator OSS_ACCESS_KEY_SECRET=emulator-secret"
      assert.strictEqual(error, `to use it: export OSS_ENDPOINT=${url} ${keys}\n`)
      assert.strictEqual(code, 0)
    })
  )

  it.effect("an upload without a terminal is told in plain lines", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path, bytes } = yield* file("plain.bin", 2_500 * KiB)
      const { code, out, error } = yield* run(["upload", path, "oss://bucket/a/", ...small], {
        env
      })
      assert.strictEqual(error, "")
      assert.strictEqual(code, 0)
      const lines = out.split("\n").slice(0, -1)
      assert.strictEqual(lines.at(0), `${path} (2.4 MiB) to oss://bucket/a/plain.bin`)
      assert.match(
        lines.at(-1) ?? "",
        /^bucket\/a\/plain\.bin: 2\.4 MiB in \d+\.\d s \([\d.]+ [KM]iB\/s\), verified by CRC64$/
      )
      assert.notMatch(lines.join(""), /\p{Cc}/u)
      yield* settled("a/plain.bin", bytes)
    })
  )

  it.effect("an upload with --json is told in events, the last of them Completed", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path, bytes } = yield* file("json.bin", 300 * KiB)
      const args = ["upload", path, "oss://bucket/json", "--json", ...small]
      const { code, out, error } = yield* runHere(args, env)
      assert.deepStrictEqual([code, error], [0, ""])
      const events = parse(out)
      assert.strictEqual(events[0]._tag, "Started")
      assert.strictEqual(events.at(-1)._tag, "Completed")
      assert.strictEqual(events.at(-1).result.crc64, String(Crc64.of(bytes)))
      assert.lengthOf(
        events.filter(({ _tag }) => _tag === "PartUploaded"),
        3
      )
      yield* settled("json", bytes)
    })
  )

  it.effect("with --no-progress only the last line is written", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path } = yield* file("quiet.bin", 10)
      const { code, out } = yield* runHere(["upload", path, "oss://bucket/", "--no-progress"], env)
      assert.match(out, /^bucket\/quiet\.bin: 10 B in [^\n]*\n$/)
      assert.strictEqual(code, 0)
    })
  )

  it.effect("SIGINT ends it with 130 and SIGTERM with 143, and the next run resumes", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path, bytes } = yield* file("signals.bin", 4_000 * KiB)
      const args = ["upload", path, "oss://bucket/signals", "--json", ...small]
      for (const [signal, exitCode] of [
        ["SIGINT", 130],
        ["SIGTERM", 143]
      ] as const) {
        const upload = yield* start(args, { env })
        yield* upload.shows(`"PartUploaded"`)
        yield* upload.kill(signal)
        const { code, out, error } = yield* upload.ended
        assert.strictEqual(code, exitCode)
        assert.deepStrictEqual(parse(out).at(-1), {
          _tag: "Failed",
          message: `interrupted by ${signal}`,
          remedy: "run the same command again to carry on",
          resumable: true,
          exitCode
        })
        assert.strictEqual(
          error,
          `error: interrupted by ${signal}\n  → run the same command again to carry on\n`
        )
      }
      const plain = args.filter((arg) => arg !== "--json")
      const { code, out } = yield* runHere(plain, env)
      assert.match(out, /\nresumed: [^\n]+ are there already\n/)
      assert.match(out, / resumed, verified by CRC64\n$/)
      assert.strictEqual(code, 0)
      yield* settled("signals", bytes)
    })
  )

  it.effect("SIGKILL, again and again, loses nothing", () =>
    Effect.gen(function* () {
      const { env, file, directory } = yield* World
      const { path, bytes } = yield* file("killed.bin", 5_000 * KiB)
      const args = ["upload", path, "oss://bucket/killed", "--json", ...small]
      let durable = 0
      for (let round = 0; round < 3; round++) {
        const upload = yield* start(args, { env })
        yield* upload.shows(`"PartUploaded"`)
        yield* upload.kill("SIGKILL")
        const { code, out } = yield* upload.ended
        assert.strictEqual(code, "SIGKILL")
        const resumed = parse(out).find(({ _tag }) => _tag === "Resumed")?.bytes ?? 0
        assert.isAtLeast(resumed, durable)
        durable = Math.max(...parse(out).map((event) => event.durable ?? 0))
        assert.isAbove(durable, resumed)
      }
      const table = yield* runHere(["pending"], env)
      assert.match(table.out, /^OBJECT +FILE +DONE +AGE +DIRECTORY\n/)
      assert.match(table.out, /\noss:\/\/bucket\/killed +killed\.bin +\d+ % +\d+ s +\/[^\n]+\n$/)
      const [summary] = parse((yield* runHere(["pending", "--json"], env)).out)
      assert.strictEqual(summary.header.sourceId, `file:${directory}/killed.bin`)
      assert.isAtLeast(summary.durable, durable)
      const { code, out } = yield* runHere(args, env)
      assert.strictEqual(code, 0)
      const { result } = parse(out).at(-1)
      assert.isAtLeast(result.resumed, durable)
      const parts = parse(out).filter(({ _tag }) => _tag === "PartUploaded")
      // A part that OSS has, though its record was lost with the process, is adopted, not sent.
      const sent = parts.filter(({ adopted }) => !adopted)
      assert.strictEqual(result.sent, sum(sent))
      const kept = parse(out).find(({ _tag }) => _tag === "Resumed").bytes
      assert.strictEqual(kept + sum(parts), bytes.length)
      yield* settled("killed", bytes)
    })
  )

  it.effect("an upload that was interrupted can be given up", () =>
    Effect.gen(function* () {
      const { env, file, client, directory } = yield* World
      const { path } = yield* file("abort.bin", 6_000 * KiB)
      const upload = yield* start(["upload", path, "oss://bucket/abort.bin", "--json", ...small], {
        env
      })
      yield* upload.shows(`"PartUploaded"`)
      const busy = yield* runHere(["abort", "oss://bucket/abort.bin"], env)
      assert.strictEqual(busy.code, 1)
      assert.match(busy.error, /^error: .*in use by .*\n {2}→ wait/)
      yield* upload.kill("SIGKILL")
      yield* upload.ended
      const elsewhere = { ...env, OSS_ENDPOINT: "http://127.0.0.1:1" }
      const other = yield* runHere(["abort", "oss://bucket/abort.bin"], elsewhere)
      assert.include(other.out, "there is an upload at http://127.0.0.1:")
      const wrongFile = yield* runHere(
        ["abort", "oss://bucket/abort.bin", "--file", directory],
        env
      )
      assert.strictEqual(wrongFile.out, "nothing to give up for bucket/abort.bin\n")
      const dry = yield* runHere(["abort", "oss://bucket/abort.bin", "--dry-run"], env)
      assert.match(dry.out, /^would give up bucket\/abort\.bin: .* of 5\.9 MiB in \d+ parts?/)
      assert.lengthOf((yield* client.listUploads({})).uploads, 1)
      const given = yield* runHere(["abort", "oss://bucket/", "--file", path], env)
      assert.deepStrictEqual([given.code, given.error], [0, ""])
      assert.match(given.out, /^gave up bucket\/abort\.bin: .* of 5\.9 MiB in \d+ parts?, from \//)
      assert.deepStrictEqual((yield* client.listUploads({})).uploads, [])
      assert.deepStrictEqual(yield* checkpointFiles(directory), [])
      const again = yield* runHere(["abort", "oss://bucket/abort.bin"], env)
      assert.deepStrictEqual(
        [again.code, again.out],
        [0, "nothing to give up for bucket/abort.bin\n"]
      )
      assert.strictEqual(
        (yield* runHere(["pending"], env)).out,
        "no upload is waiting to be resumed\n"
      )
      assert.strictEqual((yield* runHere(["pending", "--json"], env)).out, "")
    })
  )

  it.effect("old uploads are swept away, if that is asked for", () =>
    Effect.gen(function* () {
      const { env, file, client, directory } = yield* World
      const { path } = yield* file("sweep.bin", 6_000 * KiB)
      const upload = yield* start(["upload", path, "oss://bucket/sweep", "--json", ...small], {
        env
      })
      yield* upload.shows(`"PartUploaded"`)
      yield* upload.kill("SIGKILL")
      yield* upload.ended
      const young = yield* runHere(["sweep", "--older-than", "1h", "--yes"], env)
      assert.deepStrictEqual([young.code, young.out], [0, "nothing is older than 1h\n"])
      const dry = yield* runHere(["sweep", "--older-than", "0s"], env)
      assert.match(
        dry.out,
        /^would give up bucket\/sweep: .* of 5\.9 MiB in \d+ parts?, from \/.*\nnothing was given up: add --yes to do it\n$/
      )
      assert.lengthOf((yield* client.listUploads({})).uploads, 1)
      const both = yield* runHere(["sweep", "--older-than", "0s", "--yes", "--dry-run"], env)
      assert.strictEqual(both.out, dry.out)
      const wet = yield* runHere(["sweep", "--older-than", "0s", "--yes"], env)
      assert.match(wet.out, /^gave up bucket\/sweep: [^\n]*\n$/)
      assert.strictEqual(wet.code, 0)
      assert.deepStrictEqual((yield* client.listUploads({})).uploads, [])
      assert.deepStrictEqual(yield* checkpointFiles(directory), [])
    })
  )

  it.effect("an upload whose checkpoint was lost is discovered", () =>
    Effect.gen(function* () {
      const { env, file, directory } = yield* World
      const fs = yield* FileSystem.FileSystem
      const { path, bytes } = yield* file("lost.bin", 6_000 * KiB)
      const args = ["upload", path, "oss://bucket/lost", "--json", "--discover", ...small]
      const upload = yield* start(args, { env })
      yield* upload.shows(`"PartUploaded"`)
      yield* upload.kill("SIGKILL")
      yield* upload.ended
      const state = `${directory}/.local/state/effect-oss`
      yield* fs.remove(state, { recursive: true })
      const { code, out } = yield* runHere(args, env)
      assert.strictEqual(code, 0)
      assert.isAbove(parse(out).filter(({ adopted }) => adopted).length, 0)
      yield* settled("lost", bytes)
    })
  )

  it.effect("keys and endpoint come from ossutil's file, and flags win over it", () =>
    Effect.gen(function* () {
      const { env, endpoint, file, directory } = yield* World
      const fs = yield* FileSystem.FileSystem
      const { path } = yield* file("ossutil.bin", 10)
      const config = `${directory}/.ossutilconfig`
      const keys = `accessKeyID = ${env["OSS_ACCESS_KEY_ID"]}\naccessKeySecret = ${secret}`
      yield* fs.writeFileString(
        config,
        `[Credentials]\nlanguage=EN\nendpoint = ${endpoint}\n${keys}\n`
      )
      const args = ["upload", path, "oss://bucket/", "--ossutil-config", config]
      const bare = { HOME: directory, OSS_PATH_STYLE: "true" }
      const { code, error } = yield* runHere(args, bare)
      assert.deepStrictEqual([code, error], [0, ""])
      const elsewhere = yield* runHere(
        [...args, "--endpoint", "http://127.0.0.1:1", "--retry-for", "0s"],
        bare
      )
      assert.strictEqual(elsewhere.code, 1)
      const [own, other] = [{ HOME: directory }, { HOME: "/", OSSUTIL_CONFIG_FILE: config }]
      for (const place of [own, other]) {
        const args = ["upload", path, "oss://bucket/", "--ossutil"]
        const { code, error } = yield* runHere(args, {
          ...bare,
          ...place,
          XDG_STATE_HOME: directory
        })
        assert.deepStrictEqual([code, error], [0, ""])
      }
    })
  )

  it.effect("a rate limits what is sent", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path } = yield* file("slow.bin", 500 * KiB)
      const args = ["upload", path, "oss://bucket/", "--limit-rate", "250KiB"]
      const { code, out } = yield* runHere(args, env)
      assert.strictEqual(code, 0)
      const [, seconds] = / in ([\d.]+) s /.exec(out) ?? []
      assert.isAbove(Number(seconds), 1.5)
    })
  )

  it.effect("no secret and no stack was ever written", () => Effect.sync(nothingSecret))
})
