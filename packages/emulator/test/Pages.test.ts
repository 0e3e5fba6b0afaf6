import { OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { elementOf, initiate, open, put, raw, request } from "./http.ts"
import { bucket, withServer } from "./support.ts"

const browse = (path: string, headers: Record<string, string> = {}) =>
  request(path, { headers: { accept: "text/html,*/*", ...headers } })

describe("a browser", () => {
  it.live("finds buckets, objects by folder, and open uploads with their parts", () =>
    Effect.gen(function* () {
      yield* put("a%20%3Cb%3E.txt", Buffer.from("hello"))
      yield* put("folder/c.txt", Buffer.from("hello"))
      const uploadId = yield* initiate()
      yield* put(`k?partNumber=7&uploadId=${uploadId}`, Buffer.from("12345"))
      const all = yield* browse("")
      assert.match(all.headers["content-type"] ?? "", /^text\/html/)
      assert.include(all.body.toString(), `/-/bucket?name=${bucket}`)
      const one = (yield* browse(`-/bucket?name=${bucket}`)).body.toString()
      assert.include(one, "a &lt;b&gt;.txt")
      assert.include(one, "prefix=folder%2F")
      assert.include(one, uploadId)
      assert.include(one, "7 (5)")
      assert.notInclude(one, "c.txt")
      const inside = yield* browse(`-/bucket?name=${bucket}&prefix=folder%2F`)
      assert.include(inside.body.toString(), "folder/c.txt")
      assert.include(inside.body.toString(), `<a href="/-/bucket?name=${bucket}">`)
      const none = yield* browse("-/bucket?name=none")
      assert.strictEqual(none.status, 404)
      assert.include(none.body.toString(), "does not exist")
    }).pipe(open)
  )

  it.live("learns how buckets come to be, and asks for no icon", () =>
    Effect.gen(function* () {
      const { body, headers } = yield* browse("")
      assert.include(body.toString(), "when a request first names it")
      assert.include(body.toString(), '<link rel="icon" href="data:,">')
      assert.include(headers["content-security-policy"] ?? "", "img-src data:")
    }).pipe(open)
  )

  it.live("may run no script, and is not shown a page for another host", () =>
    Effect.gen(function* () {
      const { headers } = yield* browse("")
      assert.match(headers["content-security-policy"] ?? "", /default-src 'none'/)
      const { url } = yield* OssEmulator.OssEmulator
      const lines = ["GET / HTTP/1.1", "Host: rebound.test", "Accept: text/html", "", ""]
      assert.notInclude(yield* raw(url, lines), "text/html")
    }).pipe(open)
  )

  it.live("is no client: without asking for HTML, / lists buckets as XML", () =>
    Effect.gen(function* () {
      yield* put("k", Buffer.from("x"))
      const { body } = yield* request("")
      assert.strictEqual(elementOf(body, "Name"), bucket)
    }).pipe(open)
  )

  it.live("learns whether the emulator runs, signed or not", () =>
    Effect.gen(function* () {
      const { status, body } = yield* request("-/health")
      assert.deepStrictEqual([status, body.toString()], [200, '{"status":"ok"}\n'])
    }).pipe(withServer())
  )
})
