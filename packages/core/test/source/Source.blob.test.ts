import { assert, describe, it } from "@effect/vitest"
import { OssClient, Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Option, Stream } from "effect"
import { httpWorld } from "../support/httpWorld.ts"
import {
  assertWhole,
  bucket,
  contentOf,
  fiveParts,
  key,
  partSize,
  partsSent,
  world
} from "../support/world.ts"

const reasonOf = <A, R>(effect: Effect.Effect<A, Source.SourceError, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason._tag)

describe("Source.blob", () => {
  const reads = Effect.fnUntraced(function* (source: Source.RandomAccess) {
    const target = new Uint8Array(1_000)
    yield* source.read(target, 100_000)
    return target
  })

  it.effect("gives any bytes of a blob, and is told from another by its content", () =>
    Effect.gen(function* () {
      const source = yield* Source.blob(new Blob([fiveParts])).open
      assert.strictEqual(source.size, fiveParts.length)
      assert.deepStrictEqual(yield* reads(source), fiveParts.slice(100_000, 101_000))
      const same = yield* Source.blob(new Blob([fiveParts.subarray(0, 9), fiveParts.subarray(9)]))
        .open
      const other = yield* Source.blob(new Blob([contentOf(fiveParts.length, 7)])).open
      assert.deepStrictEqual([same.id, same.fingerprint], [source.id, source.fingerprint])
      assert.notStrictEqual(other.fingerprint, source.fingerprint)
    })
  )

  it.effect("tells a file by name, size and time of modification, without reading it", () =>
    Effect.gen(function* () {
      const file = new File([fiveParts], "db.tar", { lastModified: 5 })
      const unread = Object.assign(file, {
        slice: () => ({ arrayBuffer: () => Promise.reject(new Error("read")) })
      })
      const source = yield* Source.blob(unread).open
      assert.strictEqual(source.id, "blob:db.tar")
      const later = yield* Source.blob(new File([fiveParts], "db.tar", { lastModified: 6 })).open
      assert.notStrictEqual(later.fingerprint, source.fingerprint)
      assert.strictEqual(yield* reasonOf(source.read(new Uint8Array(1), 0)), "SourceUnreadable")
    })
  )

  it.effect("has changed when the file behind it can no longer be read", () =>
    Effect.gen(function* () {
      const gone = {
        size: 10,
        lastModified: 1,
        slice: () => ({
          arrayBuffer: () => Promise.reject(new DOMException("modified", "NotReadableError"))
        })
      }
      const source = yield* Source.blob(gone).open
      assert.strictEqual(yield* reasonOf(source.read(new Uint8Array(1), 0)), "SourceChanged")
      const short = { ...gone, slice: () => ({ arrayBuffer: async () => new ArrayBuffer(0) }) }
      const shrunk = yield* Source.blob(short).open
      assert.strictEqual(yield* reasonOf(shrunk.read(new Uint8Array(1), 0)), "SourceChanged")
    })
  )

  it.live("uploads, whether blob or file", () =>
    Effect.gen(function* () {
      yield* Upload.upload({ key, partSize, source: Source.blob(new Blob([fiveParts])) })
      yield* assertWhole(fiveParts)
      const file = new File([fiveParts], "db.tar")
      yield* Upload.upload({ key: "file", partSize, source: Source.blob(file) })
      yield* assertWhole(fiveParts, "file")
    }).pipe(Effect.provide(world))
  )
})

describe("a chosen file whose time of modification is another one", () => {
  const upload = (file: File, options: Partial<Upload.UploadRequest> = {}) =>
    Upload.upload({ key, partSize, concurrency: 1, ...options, source: Source.blob(file) })
  const at = (lastModified: number, content = fiveParts) =>
    new File([content], "db.tar", { lastModified })

  /** OSS has four parts of five. */
  const interrupted = Effect.gen(function* () {
    const { inject } = yield* OssEmulator.OssEmulator
    yield* inject(
      Fault.answer({ operation: "uploadPart", partNumber: 5, status: 403, code: "AccessDenied" })
    )
    yield* Effect.flip(upload(at(1)))
  })
  const sentAgain = Effect.map(partsSent, (sent) => sent.slice(5))

  it.effect("keeps the parts that OSS has, after their CRC64 was compared", () =>
    Effect.gen(function* () {
      yield* interrupted
      const result = yield* upload(at(2), { onSourceChanged: "fail" })
      assert.strictEqual(result.resumed, 4 * partSize)
      assert.deepStrictEqual(yield* sentAgain, [5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  const edited = Uint8Array.from(fiveParts)
  edited[partSize + 5]! ^= 1

  it.effect("sends the parts whose content is another one as well", () =>
    Effect.gen(function* () {
      yield* interrupted
      yield* upload(at(2, edited))
      assert.deepStrictEqual(yield* sentAgain, [2, 5])
      yield* assertWhole(edited)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "fails if its content is another one, where that is asked for, and keeps the parts",
    () =>
      Effect.gen(function* () {
        yield* interrupted
        const error = yield* Effect.flip(upload(at(2, edited), { onSourceChanged: "fail" }))
        assert.strictEqual((error as Source.SourceError).reason._tag, "SourceChanged")
        assert.strictEqual((yield* upload(at(3))).resumed, 4 * partSize)
      }).pipe(Effect.provide(world))
  )
})

describe("the type of a blob", () => {
  const typed = new Blob([fiveParts], { type: "image/x-raw" })
  const headOf = (options: Partial<Upload.UploadRequest>) =>
    Effect.gen(function* () {
      yield* Upload.upload({ key, partSize, source: Source.blob(typed), ...options })
      return (yield* OssClient.OssClient.use((client) => client.head(key))).contentType
    })

  it.live.each<[string, Partial<Upload.UploadRequest>, string]>([
    ["is the object's", {}, "image/x-raw"],
    ["is the object's, of a small one too", { partSize: 100 * partSize }, "image/x-raw"],
    ["gives way to what is asked for", { mime: "text/csv" }, "text/csv"],
    ["gives way to a header", { headers: { "Content-Type": "text/csv" } }, "text/csv"],
    [
      "leaves it to the key if it is empty",
      { source: Source.blob(new Blob([fiveParts])) },
      "application/x-tar"
    ]
  ])("%s", ([, options, expected]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* headOf(options), expected)
    }).pipe(Effect.provide(httpWorld()))
  )

  it.effect("may differ at the next visit", () =>
    Effect.gen(function* () {
      const { inject } = yield* OssEmulator.OssEmulator
      yield* inject(
        Fault.answer({ operation: "uploadPart", partNumber: 5, status: 403, code: "AccessDenied" })
      )
      const file = (type: string) => new File([fiveParts], "db.tar", { lastModified: 1, type })
      const upload = (type: string) =>
        Upload.upload({ key, partSize, concurrency: 1, source: Source.blob(file(type)) })
      yield* Effect.flip(upload("application/x-tar"))
      assert.strictEqual((yield* upload("")).resumed, 4 * partSize)
    }).pipe(Effect.provide(world))
  )
})

describe("Source.readable", () => {
  const chunks = async function* (content: Uint8Array, size = 10_000) {
    for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
  }

  it.live("uploads an async iterable, which is made anew for each run", () =>
    Effect.gen(function* () {
      let made = 0
      const source = Source.readable("gen", () => {
        made++
        return chunks(fiveParts)
      })
      yield* Upload.upload({ key, partSize, source })
      yield* Upload.upload({ key, partSize, source })
      assert.strictEqual(made, 2)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.live("closes what it has made, also when the upload fails", () =>
    Effect.gen(function* () {
      let closed = false
      const source = Source.readable(
        "gen",
        async function* () {
          try {
            yield* chunks(fiveParts)
            yield new Uint8Array(1)
          } finally {
            closed = true
          }
        },
        { size: fiveParts.length }
      )
      assert.strictEqual(
        yield* reasonOf(asSource(Upload.upload({ key, partSize, source }))),
        "SourceChanged"
      )
      assert.isTrue(closed)
    }).pipe(Effect.provide(world))
  )

  it.live.each<[string, () => AsyncIterable<unknown>]>([
    [
      "can't be made",
      () => {
        throw new Error("no such program")
      }
    ],
    [
      "fails",
      async function* () {
        yield fiveParts
        throw new Error("broken pipe")
      }
    ],
    [
      "yields text",
      async function* () {
        yield "text"
      }
    ]
  ])("fails when what is read %s", ([, make]) =>
    Effect.gen(function* () {
      const upload = Upload.upload({ key, partSize, source: Source.readable("gen", make) })
      assert.strictEqual(yield* reasonOf(asSource(upload)), "SourceUnreadable")
      const emulator = yield* OssEmulator.OssEmulator
      assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
    }).pipe(Effect.provide(world))
  )

  const asSource = <A, R>(upload: Effect.Effect<A, Upload.UploadError, R>) =>
    Effect.catchIf(
      upload,
      (error) => error._tag !== "SourceError",
      (error) => Effect.die(error)
    )

  it.live("can be read as a stream as well", () =>
    Effect.gen(function* () {
      const source = yield* Source.readable("gen", () => chunks(fiveParts)).open
      assert.strictEqual(source._tag, "Sequential")
      if (source._tag !== "Sequential") return
      const bytes = yield* Stream.mkUint8Array(source.bytes)
      assert.deepStrictEqual(bytes, fiveParts)
    })
  )
})
