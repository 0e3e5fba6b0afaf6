import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { spawn } from "node:child_process"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { until } from "../../core/test/support/OssClientServer.ts"
import { aliOss, bytesOf } from "./support.ts"

const program = fileURLToPath(new URL("../src/bin.ts", import.meta.url))

interface Running {
  readonly url: string
  /** What it has written to standard error so far. */
  readonly errors: () => string
  readonly code: Promise<number | null>
  readonly kill: () => void
}

/** The command, until it listens or ends. */
const start = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.callback<Running>((resume) => {
      const child = spawn(process.execPath, [program, ...args], {
        stdio: ["ignore", "pipe", "pipe"]
      })
      let out = ""
      let errors = ""
      const code = new Promise<number | null>((done) => child.on("exit", done))
      const ready = () => {
        const url = /listening on (http:\S+)\n/.exec(out)?.[1] ?? ""
        resume(
          Effect.succeed({ url, errors: () => errors, code, kill: () => child.kill("SIGKILL") })
        )
      }
      child.stderr.on("data", (text) => (errors += text))
      child.stdout.on("data", (text) => {
        out += text
        if (out.includes("\n")) ready()
      })
      child.on("close", ready)
    }),
    ({ kill }) => Effect.sync(kill)
  )

/** Two lines on standard error and exit code 2. */
const refused = (pattern: RegExp, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { code, errors } = yield* start(...args)
    assert.strictEqual(yield* Effect.promise(() => code), 2)
    assert.match(errors(), /^error: [^\n]*\n {2}→ [^\n]*\n$/)
    assert.match(errors(), pattern)
  })

const inDirectory = <A, E, R>(use: (directory: string) => Effect.Effect<A, E, R>) =>
  FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped()).pipe(
    Effect.flatMap(use),
    Effect.scoped,
    Effect.provide(NodeServices.layer)
  )

describe("the command effect-oss-emulator", () => {
  it.live("has several buckets, temporary keys, CORS and a log of requests", () =>
    Effect.gen(function* () {
      const { url, errors } = yield* start(
        ..."--bucket one --bucket two --log --cors https://app.test".split(" "),
        ..."--access-key-id id --access-key-secret secret --session-token token".split(" ")
      )
      const keys = { accessKeyId: "id", accessKeySecret: "secret", stsToken: "token" }
      for (const bucket of ["one", "two"]) {
        const client = aliOss(url, { ...keys, bucket })
        yield* Effect.promise(() => client.put("k", Buffer.from(bytesOf(10))))
      }
      const origin = { origin: "https://app.test" }
      const answer = yield* Effect.promise(() => fetch(`${url}/three/k`, { headers: origin }))
      assert.deepStrictEqual(
        [answer.status, answer.headers.get("access-control-allow-origin")],
        [404, "https://app.test"]
      )
      // Standard error and answers come by ways of their own.
      yield* until(() => errors().split("\n").length > 3)
      const lines = errors().split("\n")
      assert.match(lines[0] ?? "", /^\S+Z 200 put one\/k, 10 bytes, \d+ ms, [0-9A-F]{24}$/)
      assert.match(lines[2] ?? "", /^\S+Z 404 NoSuchBucket get three\/k, /)
    }).pipe(Effect.scoped)
  )

  it.live("warns where other machines reach it", () =>
    Effect.gen(function* () {
      const { url, errors } = yield* start("--host", "0.0.0.0")
      yield* until(() => errors().includes("\n"))
      assert.match(errors(), /^warning: every machine .* can read and write everything/)
      const health = yield* Effect.promise(() => fetch(`${url}/-/health`))
      assert.deepStrictEqual(yield* Effect.promise(() => health.json()), { status: "ok" })
    }).pipe(Effect.scoped)
  )

  it.live("fills buckets from a directory, and leaves what is there", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${directory}/photos/2026`, { recursive: true })
        yield* fs.writeFileString(`${directory}/photos/2026/a.txt`, "hello")
        const { url } = yield* start("--seed", directory)
        const answer = yield* Effect.promise(() => fetch(`${url}/photos/2026/a.txt`))
        assert.strictEqual(yield* Effect.promise(() => answer.text()), "hello")
      })
    )
  )

  it.live("refuses to be seeded with files that are in no bucket", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFileString(`${directory}/a.txt`, "hello")
        yield* refused(/--seed: .*a\.txt is in no bucket/, "--seed", directory)
      })
    )
  )

  it.live(
    "refuses a data directory that another emulator uses, and takes it once that is killed",
    () =>
      inDirectory((directory) =>
        Effect.gen(function* () {
          const first = yield* start("--data-dir", directory)
          const client = aliOss(first.url)
          yield* Effect.promise(() => client.put("k", Buffer.from(bytesOf(10))))
          yield* refused(/--data-dir: process \d+ uses /, "--data-dir", directory)
          const kept = yield* Effect.promise(() => client.get("k"))
          assert.strictEqual(kept.res.status, 200)
          first.kill()
          yield* Effect.promise(() => first.code)
          const second = yield* start("--data-dir", directory)
          const again = yield* Effect.promise(() => aliOss(second.url).get("k"))
          assert.deepStrictEqual(again.content, Buffer.from(bytesOf(10)))
        })
      )
  )

  it.live("says what is wrong with a directory that it can't make, or with half a key", () =>
    Effect.gen(function* () {
      yield* refused(
        /--data-dir: \/proc\/x can't be used: it doesn't exist and can't be created/,
        "--data-dir",
        "/proc/x"
      )
      yield* refused(/--access-key-id: /, "--access-key-id", "id")
      yield* refused(/--bucket: "Bad_Name" is no name/, "--bucket", "Bad_Name")
      yield* refused(/--port: 99999 is no port/, "--port", "99999")
    }).pipe(Effect.scoped)
  )

  it.live("ends with 2 if a flag is unknown or has no value that it can have", () =>
    Effect.gen(function* () {
      for (const [flag, said] of [
        ["--port=abc", /--port: "abc"/],
        ["--prot=1", /Unrecognized flag: --prot/]
      ] as const) {
        const { code, errors } = yield* start(flag)
        assert.strictEqual(yield* Effect.promise(() => code), 2)
        assert.match(errors(), said)
      }
    })
  )

  it.live("says that its port is taken", () =>
    Effect.acquireUseRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        refused(
          /--port: another program listens on port \d+/,
          "--port",
          String((server.address() as AddressInfo).port)
        ).pipe(Effect.scoped),
      (server) => Effect.sync(() => server.close())
    )
  )
})
