/**
 * Each example is run as its reader would: by Node, in an empty directory, with
 * the environment that says where OSS is. Here that is an emulator.
 */
import { NodeHttpServer, NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { OssEmulator } from "@effect-oss/emulator"
import { Context, Effect, FileSystem, Layer, Option, Stream } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { ChildProcess } from "effect/process"
import AliOss from "ali-oss"
import { createServer } from "node:http"

const bucket = "examples"
const keys = { accessKeyId: "id", accessKeySecret: "secret" }
const sts = { accessKeyId: "STS.id", accessKeySecret: "sts-secret", securityToken: "token" }

const world = Layer.merge(OssEmulator.layer({ credentials: [keys, sts] }), NodeServices.layer)

/** Runs an example in a directory and gives what it prints; fails unless it exits with 0. */
const run = Effect.fnUntraced(function* (
  name: string,
  directory: string,
  environment: Readonly<Record<string, string>> = {}
) {
  const { url } = yield* OssEmulator.OssEmulator
  const child = yield* ChildProcess.make(
    process.execPath,
    [new URL(`./${name}.ts`, import.meta.url).pathname],
    {
      cwd: directory,
      extendEnv: true,
      env: {
        OSS_BUCKET: bucket,
        OSS_ENDPOINT: url.replace("127.0.0.1", "localhost"),
        OSS_PATH_STYLE: "true",
        OSS_ACCESS_KEY_ID: keys.accessKeyId,
        OSS_ACCESS_KEY_SECRET: keys.accessKeySecret,
        ...environment
      }
    }
  )
  const [output, exitCode] = yield* Effect.all(
    [Stream.mkString(Stream.decodeText(child.all)), child.exitCode],
    { concurrency: 2 }
  )
  assert.strictEqual(exitCode, 0, output)
  return output
}, Effect.scoped)

const inDirectory = <A, E, R>(test: (directory: string) => Effect.Effect<A, E, R>) =>
  FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped()).pipe(
    Effect.flatMap(test),
    Effect.scoped,
    Effect.provide(world)
  )

const stored = Effect.fnUntraced(function* (key: string) {
  const emulator = yield* OssEmulator.OssEmulator
  assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
  const object = Option.getOrThrow(yield* emulator.object(bucket, key))
  return new TextDecoder().decode(yield* object.bytes)
})

describe("the example", () => {
  it.live("export", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        assert.include(yield* run("export", directory), "exports/rows.jsonl: ")
        const rows = (yield* stored("exports/rows.jsonl")).trimEnd().split("\n")
        assert.strictEqual(rows.length, 50_000)
        assert.deepStrictEqual(JSON.parse(rows[2]!), { id: 3, name: "row 3", paid: true })
      })
    )
  )

  it.live("resumableStream", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const output = yield* run("resumableStream", directory)
        assert.match(output, /lost after line 40000: once more\n614400 bytes were there, \d+ were/)
        const lines = (yield* stored("feeds/measurements.txt")).trimEnd().split("\n")
        assert.strictEqual(lines.at(-1), "measurement 60000")
        assert.strictEqual(lines.length, 60_000)
      })
    )
  )

  it.live("otherSources", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const page = "x".repeat(250_000)
        const PAGE = yield* serve(HttpServerResponse.text(page))
        yield* run("otherSources", directory, { PAGE })
        assert.strictEqual((yield* stored("listing.txt")).split("\n").at(-2), "99999")
        assert.strictEqual(yield* stored("photo.jpg"), "a photo")
        assert.strictEqual(yield* stored("copy"), page)
      })
    )
  )

  it.live("temporaryKeys", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const answer = HttpServerResponse.jsonUnsafe({
          AccessKeyId: sts.accessKeyId,
          AccessKeySecret: sts.accessKeySecret,
          SecurityToken: sts.securityToken,
          Expiration: "2100-01-01T00:00:00Z"
        })
        const output = yield* run("temporaryKeys", directory, { KEYS: yield* serve(answer) })
        assert.strictEqual(output, "hello.txt is stored\n")
        assert.strictEqual(yield* stored("hello.txt"), "hello")
      })
    )
  )

  it.live("fromAliOss", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const fs = yield* FileSystem.FileSystem
        const { url } = yield* OssEmulator.OssEmulator
        const content = "0123456789".repeat(50_000)
        yield* fs.writeFileString(`${directory}/db.tar`, content)
        const saved = yield* aliOssDiesAfter(2, `${directory}/db.tar`, url)
        yield* fs.writeFileString(`${directory}/checkpoint.json`, saved)
        const output = yield* run("fromAliOss", directory)
        assert.strictEqual(output, "204800 bytes were there, 295200 were sent\n")
        assert.strictEqual(yield* stored("backups/db.tar"), content)
        assert.isFalse(yield* fs.exists(`${directory}/checkpoint.json`))
      })
    )
  )
})

/** The documented loop of ali-oss, up to so many parts: its checkpoint.json. */
const aliOssDiesAfter = Effect.fnUntraced(function* (parts: number, file: string, url: string) {
  const endpoint = url.replace("127.0.0.1", "localhost")
  const connection = { bucket, endpoint, sldEnable: true, ...keys }
  const client = new AliOss(connection)
  let saved = ""
  const progress = async (_: number, checkpoint: AliOss.Checkpoint) => {
    saved = JSON.stringify(checkpoint)
    if (checkpoint.doneParts.length === parts) client.cancel()
  }
  const options = { partSize: 102_400, parallel: 1, progress }
  yield* Effect.flip(
    Effect.tryPromise(() => client.multipartUpload("backups/db.tar", file, options))
  )
  return saved
})

/** A server with one page; its URL. */
const serve = Effect.fnUntraced(function* (page: HttpServerResponse.HttpServerResponse) {
  const server = HttpRouter.serve(HttpRouter.add("GET", "/page", page), {
    disableLogger: true,
    disableListenLog: true
  }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
  )
  const { address } = Context.get(yield* Layer.build(server), HttpServer.HttpServer)
  return `${HttpServer.formatAddress(address)}/page`
})
