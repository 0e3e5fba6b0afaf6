import { Fault, OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { connect } from "node:net"
import { open, raw, stored } from "./http.ts"
import { aliOss, bucket, eventually, rejection, withServer } from "./support.ts"

const head = (...lines: ReadonlyArray<string>) => [
  `PUT /${bucket}/k HTTP/1.1`,
  "Host: localhost",
  "Content-Length: 10",
  ...lines,
  "",
  ""
]

describe("bodies", () => {
  it.live("a body that breaks off commits nothing", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* Effect.callback<void>((resume) => {
        const socket = connect(Number(new URL(emulator.url).port), "127.0.0.1", () => {
          socket.end([...head(), "12345"].join("\r\n"))
        })
        socket.resume()
        socket.on("close", () => resume(Effect.void))
      })
      const [entry] = yield* eventually(emulator.log, ([entry]) => entry?.ended !== undefined)
      assert.deepStrictEqual([entry?.outcome, entry?.whole], [{ _tag: "Aborted" }, false])
      assert.isTrue(Option.isNone(yield* stored("k")))
      assert.strictEqual(yield* emulator.inFlight, 0)
    }).pipe(open)
  )

  it.live("a client that waits is told to continue", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const text = yield* raw(url, head("Expect: 100-continue"))
      assert.match(text, /^HTTP\/1.1 100 Continue/)
    }).pipe(open)
  )

  it.live("a client that waits is refused before it sends anything", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const text = yield* raw(url, head("Expect: 100-continue"))
      assert.match(text, /^HTTP\/1.1 403 /)
    }).pipe(withServer())
  )

  it.live("a body that says its length and comes in chunks is read in chunks", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const sent = `${head("Transfer-Encoding: chunked").join("\r\n")}5\r\nhello\r\n0\r\n\r\n`
      const text = yield* raw(url, [sent])
      assert.match(text, /^HTTP\/1.1 200 /)
      const object = Option.getOrThrow(yield* stored("k"))
      assert.strictEqual(object.size, 5)
    }).pipe(open)
  )

  it.live("an answer without a body says so, and is not sent in chunks", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const lines = [`PUT /${bucket}/k HTTP/1.1`, "Host: localhost", "Content-Length: 0", "", ""]
      const text = yield* raw(url, lines)
      assert.match(text, /\r\ncontent-length: 0\r\n/i)
      assert.notMatch(text, /transfer-encoding/i)
    }).pipe(open)
  )

  it.live("a refusal reaches a client that is still sending", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.answer({ status: 503, code: "ServiceUnavailable" }))
      const error = yield* rejection(() => aliOss(emulator.url).put("k", Buffer.alloc(20_000_000)))
      assert.deepStrictEqual([error["status"], error["code"]], [503, "ServiceUnavailable"])
      assert.strictEqual((yield* emulator.log)[0]?.bytes, 0)
    }).pipe(withServer())
  )
})
