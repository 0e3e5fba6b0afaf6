/**
 * Each example is run as its reader would: by Node, in an empty directory, with
 * the environment that says where OSS is. Here that is an emulator.
 */
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { OssEmulator } from "@effect-oss/emulator"
import { Context, Effect, FileSystem, Layer, Option, Stream } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import AliOss from "ali-oss"
import { readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import { bucket, inDirectory, keys, start, storedText, sts, succeeds } from "./support/run.ts"

describe.concurrent("the example", () => {
  it.live("export", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        assert.include(yield* succeeds("export.ts", directory), "exports/rows.jsonl: ")
        const rows = (yield* storedText("exports/rows.jsonl")).trimEnd().split("\n")
        assert.strictEqual(rows.length, 50_000)
        assert.deepStrictEqual(JSON.parse(rows[2]!), { id: 3, name: "row 3", paid: true })
      })
    )
  )

  it.live("resumableStream", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const output = yield* succeeds("resumableStream.ts", directory)
        assert.match(output, /lost after line 40000: once more\n614400 bytes were there, \d+ were/)
        const lines = (yield* storedText("feeds/measurements.txt")).trimEnd().split("\n")
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
        yield* succeeds("otherSources.ts", directory, { PAGE })
        assert.strictEqual((yield* storedText("listing.txt")).split("\n").at(-2), "99999")
        assert.strictEqual(yield* storedText("photo.jpg"), "a photo")
        assert.strictEqual(yield* storedText("copy"), page)
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
        const output = yield* succeeds("temporaryKeys.ts", directory, {
          KEYS: yield* serve(answer)
        })
        assert.strictEqual(output, "hello.txt is stored\n")
        assert.strictEqual(yield* storedText("hello.txt"), "hello")
      })
    )
  )

  it.live("progressBar", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFileString(`${directory}/video.mp4`, "a video")
        const output = yield* succeeds("progressBar.ts", directory)
        const lines = output.split("\n")
        assert.strictEqual(lines[0], `video.mp4 (7 B) to oss://${bucket}/video.mp4`)
        // Before it there may be samples, if it takes a while.
        assert.match(output, /^examples\/video\.mp4: 7 B in .*, verified by CRC64$/m)
        assert.include(lines, `copy: [${"#".repeat(40)}]  99 %  7 B of 7 B`)
        assert.include(lines, "copy: examples/copy.mp4: 7 B, verified by CRC64")
      })
    )
  )

  it.live("presigned", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFileString(`${directory}/photo.jpg`, "a photo")
        const server = yield* start("presigningServer.ts", directory)
        const url = yield* Stream.decodeText(server.stdout).pipe(
          Stream.splitLines,
          Stream.filter((line) => line.endsWith("/sign")),
          Stream.runHead
        )
        const withoutKeys = { OSS_ACCESS_KEY_ID: "", OSS_ACCESS_KEY_SECRET: "" }
        const output = yield* succeeds("presigned.ts", directory, {
          ...withoutKeys,
          SIGN: Option.getOrThrow(url)
        })
        assert.match(output, /^inbox\/photo\.jpg: 7 bytes\n.*access denied.*did not sign/)
        assert.strictEqual(yield* storedText("inbox/photo.jpg"), "a photo")
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
        const output = yield* succeeds("fromAliOss.ts", directory)
        assert.strictEqual(output, "204800 bytes were there, 295200 were sent\n")
        assert.strictEqual(yield* storedText("backups/db.tar"), content)
        assert.isFalse(yield* fs.exists(`${directory}/checkpoint.json`))
      })
    )
  )
})

it("has at most 40 lines, whichever it is", () => {
  const directory = new URL(".", import.meta.url)
  const examples = readdirSync(directory).filter((name) => /^\w+\.ts$/.test(name))
  assert.isAbove(examples.length, 10)
  for (const name of examples) {
    const lines = readFileSync(new URL(name, directory), "utf8").trimEnd().split("\n")
    assert.isAtMost(lines.length, 40, name)
  }
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
