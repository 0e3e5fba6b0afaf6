/** What is stored, looked at and compared with what is here. */
import { assert, layer } from "@effect/vitest"
import { Fault } from "@effect-oss/emulator"
import { Crc64 } from "@effect-oss/core"
import { Effect, FileSystem } from "effect"
import { KiB, nothingSecret, parse, runHere, small, World } from "./support.ts"

layer(World.layer, { excludeTestServices: true })("looking", (it) => {
  it.effect("stat shows size, CRC64, class and parts of an object", () =>
    Effect.gen(function* () {
      const { env, file } = yield* World
      const { path, bytes } = yield* file("looked.txt", 300 * KiB)
      const flags = ["--storage-class", "IA", ...small]
      yield* runHere(["upload", path, "oss://bucket/", ...flags], env)
      const { code, out, error } = yield* runHere(["stat", "oss://bucket/looked.txt"], env)
      assert.deepStrictEqual([code, error], [0, ""])
      const crc64 = String(Crc64.of(bytes))
      const lines = [
        "oss://bucket/looked.txt",
        "  size          307200 bytes (300.0 KiB)",
        `  CRC64         ${crc64}`,
        '  ETag          "[0-9A-F]+-3"',
        "  modified      20\\d\\d-\\S+Z",
        "  class         IA",
        "  made as       Multipart, 3 parts",
        "  content type  text/plain"
      ]
      assert.match(out, new RegExp(`^${lines.join("\n").replaceAll(/[().]/g, "\\$&")}\n$`))
      const [json] = parse((yield* runHere(["stat", "oss://bucket/looked.txt", "--json"], env)).out)
      const { bucket, key, size, parts, storageClass } = json
      assert.deepStrictEqual(
        { bucket, key, size, parts, storageClass, crc64: json.crc64 },
        { bucket: "bucket", key: "looked.txt", size: 307200, parts: 3, storageClass: "IA", crc64 }
      )
    })
  )

  it.effect("stat of what isn't there says so, and one of no object is wrong usage", () =>
    Effect.gen(function* () {
      const { env } = yield* World
      const none = yield* runHere(["stat", "oss://bucket/none"], env)
      assert.match(none.error, /^error: there is no object oss:\/\/bucket\/none\n/)
      assert.strictEqual(none.code, 3)
      const folder = yield* runHere(["stat", "oss://bucket/"], env)
      assert.match(folder.error, /does not say which object\n/)
      assert.strictEqual(folder.code, 2)
    })
  )

  it.effect("verify says that what was uploaded is the same, and sends nothing but HEADs", () =>
    Effect.gen(function* () {
      const { env, emulator, file, directory } = yield* World
      const fs = yield* FileSystem.FileSystem
      yield* fs.makeDirectory(`${directory}/kept`)
      const { path } = yield* file("kept/a.bin", 300 * KiB)
      yield* file("kept/b.bin", 10)
      yield* file("kept/c.tmp", 10)
      const args = [`${directory}/kept`, "oss://bucket/", "--exclude", "*.tmp"]
      yield* runHere(["upload", ...args, ...small], env)
      const before = (yield* emulator.log).length
      yield* emulator.inject(Fault.answer({ operation: "head", status: 503 }))
      const many = yield* runHere(["verify", ...args, "--json"], env)
      assert.deepStrictEqual([many.code, many.error], [0, ""])
      assert.deepStrictEqual(
        parse(many.out)
          .map(({ _tag, key }) => `${_tag} ${key}`)
          .toSorted(),
        ["Same kept/a.bin", "Same kept/b.bin"]
      )
      const one = yield* runHere(["verify", path, "oss://bucket/kept/"], env)
      assert.deepStrictEqual(
        [one.code, one.out],
        [0, `${path}: the same, oss://bucket/kept/a.bin\n`]
      )
      const asked = (yield* emulator.log).slice(before).map(({ operation }) => operation)
      assert.deepStrictEqual(Array.from(new Set(asked)), ["head"])
    })
  )

  it.effect("verify ends with 3 if a byte differs, a file is missing, longer or unreadable", () =>
    Effect.gen(function* () {
      const { env, file, directory } = yield* World
      const fs = yield* FileSystem.FileSystem
      yield* fs.makeDirectory(`${directory}/lost`)
      const { path, bytes } = yield* file("lost/flipped.bin", 1_000)
      yield* file("lost/longer.bin", 10)
      yield* file("lost/gone.bin", 10)
      const folder = [`${directory}/lost`, "oss://bucket/"]
      yield* runHere(["upload", ...folder], env)
      yield* fs.writeFile(path, bytes.with(500, 255 - bytes[500]!))
      yield* file("lost/longer.bin", 11)
      yield* fs.remove(`${directory}/lost/gone.bin`)
      yield* file("lost/new.bin", 10)
      const { code, out, error } = yield* runHere(["verify", ...folder], env)
      assert.strictEqual(code, 3)
      assert.match(error, /^error: 3 of 3 files are not stored as here\n/)
      assert.match(out, /flipped\.bin: DIFFERENT, /)
      assert.match(out, /longer\.bin: DIFFERENT, /)
      assert.match(out, /new\.bin: MISSING, /)
      const nosuch = yield* runHere(["verify", `${directory}/nosuch`, "oss://bucket/x"], env)
      assert.match(nosuch.out, /nosuch: can't be READ here/)
      assert.strictEqual(nosuch.code, 3)
    })
  )

  it.effect("no secret and no stack was ever written", () => Effect.sync(nothingSecret))
})
