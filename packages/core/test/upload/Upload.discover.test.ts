import { assert, describe, it } from "@effect/vitest"
import { Checkpoint, CheckpointStore, OssClient, RetryPolicy, Upload } from "@effect-oss/core"
import * as KeyValueCheckpointStore from "@effect-oss/core/KeyValueCheckpointStore"
import { Body } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Layer, Logger, Option, Result } from "effect"
import { KeyValueStore } from "effect/persistence"
import { TestClock } from "effect/testing"
import {
  assertWhole,
  bucket,
  collect,
  contentOf,
  fiveParts,
  key,
  partSize,
  partsSent,
  requestFor,
  requests,
  world
} from "../support/world.ts"

/** An upload that ended at a part, and whose checkpoint is lost. */
const lostAt = Effect.fnUntraced(function* (partNumber: number, content = fiveParts) {
  const emulator = yield* OssEmulator.OssEmulator
  yield* emulator.inject(
    Fault.answer({ operation: "uploadPart", partNumber, status: 403, code: "AccessDenied" })
  )
  const request = requestFor(content, { concurrency: 1, retry: RetryPolicy.never })
  yield* Effect.flip(Upload.upload(request)).pipe(
    Effect.provide(Layer.fresh(CheckpointStore.layerMemory))
  )
  const [upload] = yield* emulator.uploads(bucket)
  return upload!.uploadId
})

const discovering = requestFor(fiveParts, { discover: true, partSize: undefined })

describe("an upload whose checkpoint is lost", () => {
  it.effect("is found on the server, and its parts are adopted", () =>
    Effect.gen(function* () {
      yield* lostAt(4)
      const before = (yield* partsSent).length
      const events = yield* collect(discovering)
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [4, 5])
      const adopted = events.filter((event) => event._tag === "PartUploaded" && event.adopted)
      assert.strictEqual(adopted.length, 3)
      assert.strictEqual((yield* requests)["initiate"], 1)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("keeps its metadata, with a warning if anything is asked for", () =>
    Effect.gen(function* () {
      const warnings: Array<unknown> = []
      const watching = Logger.layer([Logger.make(({ message }) => void warnings.push(message))])
      yield* lostAt(4)
      yield* Upload.upload({ ...discovering, key: "another" }).pipe(Effect.provide(watching))
      assert.deepStrictEqual(warnings, [])
      const meta = { owner: "me" }
      yield* Upload.upload({ ...discovering, meta }).pipe(Effect.provide(watching))
      assert.match(String(warnings), /whose headers and metadata OSS does not return/)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("is read from the text of a checkpoint.json, and found if that is cut off", () =>
    Effect.gen(function* () {
      const uploadId = yield* lostAt(4)
      const saved = { name: key, fileSize: fiveParts.length, partSize, uploadId, doneParts: [] }
      const text = JSON.stringify(saved)
      const resumed = Result.getOrThrow(Checkpoint.fromAliOss(text))
      assert.deepInclude(resumed, { name: key, uploadId })
      const from = Checkpoint.fromAliOss(text.slice(0, text.length / 2))
      const error = yield* Effect.flip(Upload.upload(requestFor(fiveParts, { from })))
      assert.match(error.message, /^from: it is not a checkpoint of ali-oss[^]*discover: true/)
      const result = yield* Upload.upload({ ...discovering, from })
      assert.strictEqual(result.resumed, 3 * partSize)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("starts afresh if a checkpoint.json says that the source had another size", () =>
    Effect.gen(function* () {
      const uploadId = yield* lostAt(4)
      const from = Checkpoint.fromAliOss({
        name: key,
        fileSize: fiveParts.length - 1,
        partSize,
        uploadId,
        doneParts: []
      })
      const events = yield* collect(requestFor(fiveParts, { from }))
      assert.deepInclude(events, { _tag: "Restarted", reason: "SourceChanged" })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("is the newest of several, and the others stay", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      for (const partNumber of [4, 5, 3]) {
        yield* lostAt(partNumber)
        yield* TestClock.adjust("1 minute")
      }
      const result = yield* Upload.upload(discovering)
      assert.strictEqual(result.resumed, 2 * partSize)
      const left = yield* emulator.uploads(bucket)
      assert.sameMembers(
        left.map(({ parts }) => parts.length),
        [3, 4]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("is not looked for among those of keys that begin alike", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const { uploadId } = yield* client.initiate(`${key}.old`)
      const body = Body.fromBytes(fiveParts.subarray(0, partSize))
      yield* client.uploadPart({ key: `${key}.old`, uploadId, number: 1, body })
      yield* Upload.upload(discovering)
      assert.notProperty(yield* requests, "listParts")
    }).pipe(Effect.provide(world))
  )

  it.effect("is not looked for unless asked", () =>
    Effect.gen(function* () {
      const uploadId = yield* lostAt(4)
      yield* Upload.upload(requestFor(fiveParts))
      const emulator = yield* OssEmulator.OssEmulator
      const left = yield* emulator.uploads(bucket)
      assert.deepStrictEqual(
        left.map((upload) => upload.uploadId),
        [uploadId]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("of another source is neither adopted nor aborted", () =>
    Effect.gen(function* () {
      const uploadId = yield* lostAt(4, contentOf(fiveParts.length, 99))
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts, { discover: true }))
      assert.strictEqual((yield* partsSent).length - before, 5)
      const emulator = yield* OssEmulator.OssEmulator
      const left = yield* emulator.uploads(bucket)
      assert.deepStrictEqual(
        left.map((upload) => [upload.uploadId, upload.parts.length]),
        [[uploadId, 3]]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("with some parts of another version of the source gets those sent again", () =>
    Effect.gen(function* () {
      const uploadId = yield* lostAt(4)
      const client = yield* OssClient.OssClient
      const body = Body.fromBytes(contentOf(partSize, 99))
      yield* client.uploadPart({ key, uploadId, number: 3, body })
      const before = (yield* partsSent).length
      yield* Upload.upload(discovering)
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [3, 4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("is left alone if it belongs to another checkpoint of the same store", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.answer({ operation: "uploadPart", partNumber: 4, status: 403, code: "AccessDenied" })
      )
      yield* Effect.flip(Upload.upload(requestFor(fiveParts, { concurrency: 1 })))
      const { source } = requestFor(fiveParts)
      const twin = {
        name: "twin",
        open: Effect.map(source.open, (opened) => ({ ...opened, id: "bytes:twin" }))
      }
      yield* Upload.upload(requestFor(fiveParts, { source: twin, discover: true }))
      assert.strictEqual((yield* requests)["initiate"], 2)
      yield* Upload.upload(requestFor(fiveParts))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )
})

describe("an upload whose checkpoint is damaged", () => {
  const entries = KeyValueStore.layerMemory
  const stored = Layer.provideMerge(KeyValueCheckpointStore.layer(), entries)

  /** Three parts are durable, and the checkpoint that says so can't be read any more. */
  const damagedAt4 = Effect.gen(function* () {
    const emulator = yield* OssEmulator.OssEmulator
    yield* emulator.inject(
      Fault.answer({ operation: "uploadPart", partNumber: 4, status: 403, code: "AccessDenied" })
    )
    yield* Effect.flip(Upload.upload(requestFor(fiveParts, { concurrency: 1 })))
    const entries = yield* KeyValueStore.KeyValueStore
    const header = (yield* entries.keys).find((name) => name.split("/").length === 2)!
    yield* entries.set(header, "{")
    return { emulator, header }
  })
  const restarting = { onDamagedCheckpoint: "restart" } as const

  it.effect("fails, says where, and leaves everything as it is", () =>
    Effect.gen(function* () {
      const { emulator, header } = yield* damagedAt4
      const error = yield* Effect.flip(Upload.upload(requestFor(fiveParts)))
      assert.isTrue(error._tag === "CheckpointError" && error.reason._tag === "Damaged")
      assert.include(error.message, header)
      assert.strictEqual((yield* emulator.uploads(bucket))[0]?.parts.length, 3)
    }).pipe(Effect.provide([OssEmulator.layerClient(), stored]))
  )

  it.effect("starts afresh if asked to, says why, and leaves no entry behind", () =>
    Effect.gen(function* () {
      const { emulator } = yield* damagedAt4
      const before = (yield* partsSent).length
      const events = yield* collect(requestFor(fiveParts, restarting))
      assert.deepInclude(events, { _tag: "Restarted", reason: "CheckpointDamaged" })
      assert.strictEqual((yield* partsSent).length - before, 5)
      const object = Option.getOrThrow(yield* emulator.object(bucket, key))
      assert.deepStrictEqual(yield* object.bytes, fiveParts)
      assert.isTrue(yield* KeyValueStore.KeyValueStore.use((entries) => entries.isEmpty))
      // Whose it is nobody knows any more: it stays until it is found, or swept away.
      assert.strictEqual((yield* emulator.uploads(bucket)).length, 1)
    }).pipe(Effect.provide([OssEmulator.layerClient(), stored]))
  )

  it.effect("is carried on with if it may be looked for", () =>
    Effect.gen(function* () {
      const { emulator } = yield* damagedAt4
      const before = (yield* partsSent).length
      yield* Upload.upload({ ...discovering, ...restarting })
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [4, 5])
      yield* assertWhole(fiveParts)
      assert.deepStrictEqual(yield* emulator.uploads(bucket), [])
    }).pipe(Effect.provide([OssEmulator.layerClient(), stored]))
  )
})

describe("a list that leads nowhere", () => {
  /** Discovers through a client whose lists are changed; counts their pages. */
  const through = Effect.fnUntraced(function* (
    change: (client: OssClient.OssClient["Service"], page: () => void) => Partial<typeof client>
  ) {
    const client = yield* OssClient.OssClient
    let pages = 0
    const strange = { ...client, ...change(client, () => void pages++) }
    const upload = Upload.upload({ ...discovering, retry: RetryPolicy.never }).pipe(
      Effect.provideService(OssClient.OssClient, strange)
    )
    const result = yield* Effect.result(upload)
    return { pages, result }
  })

  const assertUnreadable = (result: Result.Result<unknown, Upload.UploadError>) => {
    const error = Result.isFailure(result) ? result.failure : assert.fail("it succeeded")
    assert.isTrue(error._tag === "OssError" && error.reason._tag === "UnreadableResponse")
  }

  it.effect("of uploads, whose marker repeats, is given up at its second page", () =>
    Effect.gen(function* () {
      yield* lostAt(4)
      const { pages, result } = yield* through((client, page) => ({
        listUploads: (request) =>
          Effect.map(client.listUploads(request), (listed) => {
            page()
            return { ...listed, next: Option.some({ key, uploadId: "A" }) }
          })
      }))
      assertUnreadable(result)
      assert.strictEqual(pages, 2)
    }).pipe(Effect.provide(world))
  )

  it.effect("of parts, beyond the last one that can be, is given up", () =>
    Effect.gen(function* () {
      yield* lostAt(4)
      const { pages, result } = yield* through((client, page) => ({
        listParts: (request) =>
          Effect.map(client.listParts(request), (listed) => {
            page()
            return { ...listed, next: Option.some(10_001) }
          })
      }))
      assertUnreadable(result)
      assert.strictEqual(pages, 1)
    }).pipe(Effect.provide(world))
  )

  it.effect("of uploads ends where the keys lie behind the one that is looked for", () =>
    Effect.gen(function* () {
      yield* lostAt(4)
      const { pages, result } = yield* through((client, page) => ({
        listUploads: (request) =>
          Effect.map(client.listUploads(request), (listed) => {
            page()
            const after = request.after?.key ?? key
            return { ...listed, next: Option.some({ key: `${after}a`, uploadId: "A" }) }
          })
      }))
      assert.isTrue(Result.isSuccess(result))
      assert.strictEqual(pages, 1)
    }).pipe(Effect.provide(world))
  )
})
