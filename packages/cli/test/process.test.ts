import { Crc64 } from "@effect-oss/core"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Option } from "effect"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { everything, run, runHere, secret, start, World } from "./support.ts"

const KiB = 1024
const small = ["--part-size", "100KiB", "--parallel", "2"]
const parse = (out: string) =>
  out
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))

const sum = (parts: ReadonlyArray<{ readonly size: number }>) =>
  parts.reduce((bytes, { size }) => bytes + size, 0)

/** Fails unless the object is the file, no upload is open and no checkpoint is left. */
const settled = Effect.fnUntraced(function* (key: string, bytes: Uint8Array) {
  const { client, directory } = yield* World
  const { size, crc64 } = yield* client.head(key)
  assert.strictEqual(size, bytes.length)
  assert.deepStrictEqual(crc64, Option.some(Crc64.of(bytes)))
  assert.deepStrictEqual((yield* client.listUploads({})).uploads, [])
  assert.deepStrictEqual(yield* checkpointFiles(directory), [])
})

/** Of the store, without its directories. */
const checkpointFiles = (directory: string) =>
  FileSystem.FileSystem.use((fs) =>
    fs.readDirectory(`${directory}/.local/state/effect-oss`, { recursive: true })
  ).pipe(Effect.map((paths) => paths.filter((path) => path.includes("."))))

/** What bash would offer for the last of its arguments, a line each. */
const completing = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}
_effect_oss effect-oss "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "\${COMPREPLY[@]}"`

layer(World.layer, { excludeTestServices: true })("the command as a process", (it) => {
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
      const flags = ["--include", "**/*.jpg", "--exclude", "**/.cache", "--skip-identical"]
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
      const results = parse(second.out).map(({ _tag, result }) => [
        _tag,
        result.key,
        result.skipped
      ])
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
      assert.strictEqual(code, 2)
      assert.include(error, "; with --skip-identical, what is uploaded is not sent again\n")
      const json = parse((yield* runHere([...args, "--json"], env)).out)
      const failed = json.find(({ key }) => key === "some/file")
      assert.deepInclude(failed, { _tag: "Failed", resumable: false, exitCode: 2 })
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
      assert.match(out, /\n1 uploaded, .* sent .*; with --skip-identical, .* not sent again\n$/)
      assert.match(error, /^error: interrupted by SIGINT\n/)
      assert.strictEqual(code, 130)
      yield* runHere(["abort", "oss://bucket/stopped/2.bin"], env)
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

  it.effect("bash completes commands, flags and files", () =>
    Effect.gen(function* () {
      const { file, directory } = yield* World
      const fs = yield* FileSystem.FileSystem
      yield* file("complete-me.bin", 1)
      yield* fs.makeDirectory(`${directory}/complete-dir`)
      const { out } = yield* run(["--completions", "bash"])
      const completed = (...words: ReadonlyArray<string>) =>
        Effect.sync(() =>
          execFileSync("bash", ["-c", `${out}\n${completing}`, "bash", "effect-oss", ...words], {
            cwd: directory,
            encoding: "utf8"
          })
            .trim()
            .split("\n")
            .sort()
        )
      assert.deepStrictEqual(yield* completed("upl"), ["upload"])
      assert.deepStrictEqual(yield* completed("upload", "--par"), ["--parallel", "--part-size"])
      assert.deepStrictEqual(yield* completed("upload", "complete-m"), ["complete-me.bin"])
      assert.deepStrictEqual(yield* completed("submit", "complete-m"), ["complete-me.bin"])
      assert.deepStrictEqual(yield* completed("upload", "--ossutil-config", "complete-m"), [
        "complete-me.bin"
      ])
      const directories = yield* completed("pending", "--checkpoint-dir", "complete-")
      assert.deepStrictEqual(directories, ["complete-dir"])
    })
  )

  it.effect("completions are printed for shells", () =>
    Effect.gen(function* () {
      for (const shell of ["bash", "zsh", "fish"]) {
        const { code, out } = yield* run(["--completions", shell])
        assert.strictEqual(code, 0)
        for (const word of ["effect-oss", "upload", "sweep", "skip-identical"])
          assert.include(out, word)
      }
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
            uid: 65_534
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
      assert.match(error, /^error: --port: \d+ can't be listened on: .*EADDRINUSE.*\n {2}→ .*\n$/)
      assert.strictEqual(code, 2)
    })
  )

  it.effect("no secret and no stack was ever written", () =>
    Effect.sync(() => {
      assert.isAbove(everything.length, 40)
      for (const text of everything) {
        assert.notInclude(text, secret)
        assert.notMatch(text, /\n {4}at /)
      }
    })
  )
})
