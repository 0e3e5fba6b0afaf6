/** Objects listed and removed. */
import { assert, layer } from "@effect/vitest"
import { Body } from "@effect-oss/core"
import { Fault } from "@effect-oss/emulator"
import { Effect } from "effect"
import { nothingSecret, parse, runHere, start, World } from "./support.ts"

const put = Effect.fnUntraced(function* (key: string, size = 1) {
  const { client } = yield* World
  yield* client.put({ key, body: Body.fromBytes(new Uint8Array(size)) })
})

/** A page that OSS might answer with, which goes on behind a key. */
const page = (key: string, marker: string, times = 1) =>
  Fault.raw({
    operation: "listObjects",
    times,
    body: `<ListBucketResult><IsTruncated>true</IsTruncated><NextMarker>${marker}</NextMarker>
      <Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>
      <ETag>"E"</ETag><Size>1234</Size></Contents></ListBucketResult>`
  })

const urls = (out: string) => Array.from(out.matchAll(/oss:.*/g), ([url]) => url)

layer(World.layer, { excludeTestServices: true })("listing", (it) => {
  it.effect("ls shows a level: time, size and URL of objects, and folders as one line", () =>
    Effect.gen(function* () {
      const { env } = yield* World
      yield* put("level/a.txt", 1_000_000)
      yield* put("level/b/c")
      yield* put("level/b/d")
      yield* put("level/b.txt", 0)
      const { code, out, error } = yield* runHere(["ls", "oss://bucket/level/"], env)
      assert.deepStrictEqual([code, error], [0, ""])
      const lines = [
        "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ         1000000  oss://bucket/level/a.txt",
        "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ               0  oss://bucket/level/b.txt",
        "                                 DIR  oss://bucket/level/b/"
      ]
      assert.match(out, new RegExp(`^${lines.join("\n").replaceAll(".", "\\.")}\n$`))
      const top = yield* runHere(["ls", "oss://bucket/lev"], env)
      assert.deepStrictEqual(urls(top.out), ["oss://bucket/level/"])
      const all = yield* runHere(["ls", "oss://bucket/level", "--recursive"], env)
      assert.deepStrictEqual(
        urls(all.out),
        ["a.txt", "b.txt", "b/c", "b/d"].map((name) => `oss://bucket/level/${name}`)
      )
      const some = yield* runHere(["ls", "oss://bucket/level", "--recursive", "--limit=2"], env)
      assert.deepStrictEqual(urls(some.out), urls(all.out).slice(0, 2))
    })
  )

  it.effect("ls --json has one value a line", () =>
    Effect.gen(function* () {
      const { env } = yield* World
      yield* put("json/a\u202e b+", 7)
      yield* put("json/b/c")
      const { out } = yield* runHere(["ls", "oss://bucket/json/", "--json"], env)
      assert.include(out, "\\u202e")
      const [object, folder] = parse(out)
      const { etag, lastModified, ...rest } = object
      assert.match(`${etag} ${lastModified}`, /^"[0-9A-F]{32}" 20\d\d-\d\d-\d\dT[\d:.]+Z$/)
      assert.deepStrictEqual(
        [rest, folder],
        [
          {
            _tag: "Object",
            bucket: "bucket",
            key: "json/a\u202e b+",
            size: 7,
            storageClass: "Standard",
            type: "Normal"
          },
          { _tag: "Folder", bucket: "bucket", key: "json/b/" }
        ]
      )
    })
  )

  it.effect("ls goes on page by page, and asks for no more than is read", () =>
    Effect.gen(function* () {
      const { env, emulator } = yield* World
      yield* put("pages/m")
      yield* put("pages/z")
      const args = ["ls", "oss://bucket/pages/"]
      const asked = Effect.map(emulator.log, (log) => log.length)
      yield* emulator.inject(page("pages/a", "pages/n"))
      assert.deepStrictEqual(urls((yield* runHere(args, env)).out), [
        "oss://bucket/pages/a",
        "oss://bucket/pages/z"
      ])
      for (const [more, options] of [
        [["--limit", "1"], {}],
        [[], { isRead: false }]
      ] as const) {
        yield* emulator.inject(page("pages/a", "pages/n"))
        const before = yield* asked
        const { code, out } = yield* runHere([...args, ...more], env, options)
        assert.deepStrictEqual([code, urls(out)], [0, ["oss://bucket/pages/a"]])
        assert.strictEqual((yield* asked) - before, 1)
      }
    })
  )

  it.effect("ls ends when the program that reads it has", () =>
    Effect.gen(function* () {
      const { env, emulator } = yield* World
      for (let index = 0; index < 5; index++) yield* emulator.inject(page("k", `endless/${index}`))
      yield* emulator.inject(
        Fault.stall({ operation: "listObjects", at: "before", times: Infinity })
      )
      // Its reader goes after the first page; a further one would wait for good.
      const { ended } = yield* start(["ls", "oss://bucket/endless/"], { env, close: true })
      assert.deepInclude(yield* ended, { code: 0, error: "" })
      yield* emulator.clearFaults
    }).pipe(Effect.scoped)
  )

  it.effect("ls of a list that turns in a circle fails, and doesn't go on for good", () =>
    Effect.gen(function* () {
      const { env, emulator } = yield* World
      yield* emulator.inject(page("circle/a", "circle/b"))
      yield* emulator.inject(page("circle/a", "circle/b", Infinity))
      const args = ["ls", "oss://bucket/circle/", "--retry-for", "1s"]
      const { code, out, error } = yield* runHere(args, env)
      assert.deepStrictEqual([code, urls(out)], [1, ["oss://bucket/circle/a"]])
      assert.match(error, /^error: listObjects bucket: .*does not go on where it should/)
      yield* emulator.clearFaults
    })
  )

  it.effect("ls --uploads shows what is open", () =>
    Effect.gen(function* () {
      const { env, client } = yield* World
      const { uploadId } = yield* client.initiate("open/a b")
      const args = ["ls", "oss://bucket/open/", "--uploads"]
      assert.match(
        (yield* runHere(args, env)).out,
        new RegExp(`^20\\S+Z {2}${uploadId} {2}oss://bucket/open/a b\n$`)
      )
      const [json] = parse((yield* runHere([...args, "--json"], env)).out)
      const { _tag, key } = json
      assert.deepStrictEqual([_tag, key, json.uploadId], ["OpenUpload", "open/a b", uploadId])
      yield* client.abort({ key: "open/a b", uploadId })
      const none = yield* runHere(args, env)
      assert.strictEqual(none.code, 3)
      assert.match(none.error, /^error: no upload is open below oss:\/\/bucket\/open\/\n/)
    })
  )

  it.effect("ls of a prefix that matches nothing ends with 3, and so does a bucket of others", () =>
    Effect.gen(function* () {
      const { env, emulator } = yield* World
      const none = yield* runHere(["ls", "oss://bucket/none"], env)
      assert.deepStrictEqual([none.code, none.out], [3, ""])
      assert.match(none.error, /^error: there is nothing below oss:\/\/bucket\/none\n/)
      yield* emulator.inject(Fault.answer({ operation: "listObjects", status: 403 }))
      const denied = yield* runHere(["ls", "oss://bucket"], env)
      assert.strictEqual(denied.code, 3)
      assert.match(denied.error, /oss:ListObjects/)
    })
  )

  it.effect("rm removes one object, and says which", () =>
    Effect.gen(function* () {
      const { env, client, emulator } = yield* World
      yield* put("gone/a", 300)
      yield* put("gone/ab")
      const args = ["rm", "oss://bucket/gone/a"]
      const dry = yield* runHere([...args, "--dry-run"], env)
      assert.deepStrictEqual([dry.code, dry.out], [0, "would remove oss://bucket/gone/a (300 B)\n"])
      yield* client.head("gone/a")
      yield* emulator.inject(Fault.drop({ operation: "delete", at: "after" }))
      const done = yield* runHere(args, env)
      assert.deepStrictEqual(done, {
        code: 0,
        out: "removed oss://bucket/gone/a (300 B)\n",
        error: ""
      })
      const again = yield* runHere(args, env)
      assert.strictEqual(again.code, 3)
      assert.match(again.error, /^error: there is no object oss:\/\/bucket\/gone\/a\n/)
      const { objects } = yield* client.listObjects({ prefix: "gone/" })
      assert.deepStrictEqual(
        objects.map(({ key }) => key),
        ["gone/ab"]
      )
    })
  )

  it.effect("rm takes the key as it stands: no wildcards, and no folder but an object", () =>
    Effect.gen(function* () {
      const { env, client } = yield* World
      yield* put("kept/a")
      for (const key of ["kept/*", "kept/", "kept", "kept/?", "KEPT/a"]) {
        const { code } = yield* runHere(["rm", `oss://bucket/${key}`], env)
        assert.strictEqual(code, 3, key)
      }
      yield* put("kept/")
      const [json] = parse((yield* runHere(["rm", "oss://bucket/kept/", "--json"], env)).out)
      assert.deepStrictEqual(json, { _tag: "Removed", bucket: "bucket", key: "kept/", size: 1 })
      yield* client.head("kept/a")
    })
  )

  it.effect("rm that is denied says which permission is missing", () =>
    Effect.gen(function* () {
      const { env, emulator } = yield* World
      yield* put("denied")
      yield* emulator.inject(
        Fault.answer({ operation: "delete", status: 403, code: "AccessDenied" })
      )
      const { code, out, error } = yield* runHere(["rm", "oss://bucket/denied"], env)
      assert.deepStrictEqual([code, out], [3, ""])
      assert.match(error, /oss:DeleteObject/)
    })
  )

  it.effect("no secret and no stack was ever written", () => Effect.sync(nothingSecret))
})
