/** How objects are stored: what the flags say arrives at OSS, for one file, for many, and for what comes in parts. */
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Option } from "effect"
import { KiB, nothingSecret, runHere, secret, small, World } from "../support.ts"

const flags = [
  ["--content-type", "text/x-report"],
  ["--cache-control", "max-age=60"],
  ["--content-disposition", "attachment"],
  ["--content-encoding", "gzip"],
  ["--meta", "owner=shop=1"],
  ["--meta", "Stage=late"],
  ["--acl", "public-read"],
  ["--storage-class", "IA"],
  ["--tag", "team=a b"],
  ["--sse", "AES256"],
  ["--header", "Expires: Thu, 01 Jan 2032 00:00:00 GMT"]
].flat()

const expected = {
  "content-type": "text/x-report",
  "cache-control": "max-age=60",
  "content-disposition": "attachment",
  "content-encoding": "gzip",
  "x-oss-meta-owner": "shop=1",
  "x-oss-meta-stage": "late",
  "x-oss-object-acl": "public-read",
  "x-oss-storage-class": "IA",
  "x-oss-tagging": "team=a%20b",
  "x-oss-server-side-encryption": "AES256",
  expires: "Thu, 01 Jan 2032 00:00:00 GMT"
}

const headersOf = Effect.fnUntraced(function* (key: string) {
  const { emulator } = yield* World
  const object = Option.getOrThrow(yield* emulator.object("bucket", key))
  return Object.fromEntries(Object.keys(expected).map((name) => [name, object.headers[name]]))
})

layer(World.layer, { excludeTestServices: true })("objects are stored", (it) => {
  it.effect("as the flags say, by one request, in parts, of many files and from a program", () =>
    Effect.gen(function* () {
      const { env, file, directory } = yield* World
      const fs = yield* FileSystem.FileSystem
      const one = yield* file("one.bin", 10)
      const parts = yield* file("parts.bin", 300 * KiB)
      yield* fs.makeDirectory(`${directory}/stored`)
      yield* file("stored/a.bin", 10)
      yield* file("stored/b.bin", 10)
      const runs = [
        [one.path, "oss://bucket/one"],
        [parts.path, "oss://bucket/parts", ...small],
        [`${directory}/stored`, "oss://bucket/"],
        ["--command", "printf x", "oss://bucket/printed"]
      ]
      for (const args of runs) {
        const { code, error } = yield* runHere(["upload", ...args, ...flags], env)
        assert.deepStrictEqual([code, error], [0, ""])
      }
      for (const key of ["one", "parts", "stored/a.bin", "stored/b.bin", "printed"]) {
        assert.deepStrictEqual(yield* headersOf(key), expected)
      }
    })
  )

  it.effect("with the type of the key's extension if no flag says another", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path } = yield* file("page.html", 10)
      yield* runHere(["upload", path, "oss://bucket/"], env)
      assert.strictEqual((yield* headersOf("page.html"))["content-type"], "text/html")
    })
  )

  it.effect("unless there is one already, if that is forbidden", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path } = yield* file("first.bin", 10)
      const args = ["upload", path, "oss://bucket/", "--forbid-overwrite"]
      assert.strictEqual((yield* runHere(args, env)).code, 0)
      yield* file("first.bin", 11)
      const { code, error } = yield* runHere(args, env)
      assert.strictEqual(code, 3)
      assert.match(error, /the object exists/)
      assert.include(error, "--forbid-overwrite")
    })
  )

  it.effect("never with flags that make no sense: nothing is sent then", () =>
    Effect.gen(function* () {
      const { env, emulator, file } = yield* World
      const { path } = yield* file("wrong.bin", 10)
      const wrong: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
        [["--meta", "owner"], /--meta: "owner" has no name\n.*NAME=VALUE/],
        [["--meta", "größe=1"], /--meta: "größe" can't be/],
        [["--meta", "a=1", "--meta", "A=2"], /--meta: "A" is given twice/],
        [["--header", "Expires=now"], /--header: .*\n.*'NAME: VALUE'/],
        [["--header", "Host: x"], /header "host" is set by the client/],
        [["--sse-key-id", "k", "--sse", "AES256"], /--sse-key-id: .*\n.*--sse KMS/],
        [["--acl", "everyone"], /--acl: "everyone".*\n.*public-read/],
        [["--content-type", "a\nb"], /control character/],
        [["--stall-timeout", "0s"], /--stall-timeout/],
        [["--log", "/no/such/directory/log"], /--log: .*can't be written/],
        [Array.from({ length: 11 }, (_, n) => ["--tag", `t${n}=1`]).flat(), /--tag: 11 tags/]
      ]
      const before = yield* emulator.log
      for (const [flags, message] of wrong) {
        const args = ["upload", path, "oss://bucket/", ...flags]
        const { code, error } = yield* runHere(args, env)
        assert.match(error, message)
        assert.strictEqual(code, 2, error)
      }
      assert.lengthOf(yield* emulator.log, before.length)
    })
  )

  it.effect("and each request can be had as a line of a file, without secrets", () =>
    Effect.gen(function* () {
      const { env, file, directory, endpoint } = yield* World
      const fs = yield* FileSystem.FileSystem
      const { path } = yield* file("logged.bin", 200 * KiB)
      const log = `${directory}/requests.log`
      const args = ["upload", path, "oss://bucket/", "--log", log, ...small]
      yield* runHere(args, env)
      yield* runHere(args, { ...env, OSS_ENDPOINT: endpoint.replace(/\d+$/, "1") }).pipe(
        Effect.timeoutOption("1 second")
      )
      const text = yield* fs.readFileString(log)
      const lines = text.trimEnd().split("\n")
      const part =
        /^\S+Z 200 PUT http:\S+\/logged\.bin\?partNumber=1&uploadId=\w+ 102400 bytes \d+ ms \w+$/
      assert.lengthOf(
        lines.filter((line) => part.test(line)),
        1
      )
      assert.isTrue(lines.some((line) => /^\S+Z failed \(ECONNREFUSED\) POST /.test(line)))
      assert.notInclude(text, secret)
      assert.notMatch(text, /authorization|signature/i)
      assert.strictEqual(Number((yield* fs.stat(log)).mode & 0o777), 0o600)
    })
  )

  it.effect("no secret and no stack was ever written", () => Effect.sync(nothingSecret))
})
