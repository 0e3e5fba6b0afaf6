import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Crc64, OssClient, OssError, Part, Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Body, RetryPolicy } from "@effect-oss/core"
import { Effect, Option } from "effect"
import {
  assertWhole,
  assertWholeBesides,
  bucket,
  collect,
  contentOf,
  editable,
  fiveParts,
  inTime,
  key,
  partSize,
  partsSent,
  pending,
  requestFor,
  requests,
  world
} from "../support/world.ts"

const denied = (partNumber: number) =>
  Fault.answer({ operation: "uploadPart", partNumber, status: 403, code: "AccessDenied" })

/** A run that ends at part 4, with parts 1 to 3 durable. */
const stopAtPart4 = Effect.fnUntraced(function* (request: Upload.UploadRequest) {
  const emulator = yield* OssEmulator.OssEmulator
  yield* emulator.inject(denied(4))
  const error = yield* Effect.flip(Upload.upload({ ...request, concurrency: 1 }))
  assert.strictEqual(error._tag, "OssError")
  const [upload] = yield* emulator.uploads(bucket)
  assert.deepStrictEqual(
    upload?.parts.map(({ number }) => number),
    [1, 2, 3]
  )
  return { emulator, uploadId: upload!.uploadId }
})

/** A store that stops the run with a defect: the first time that `step` is reached after `passing` others. */
const storeThatDies = (step: "begin" | "append" | "finish" | "remove", passing = 0) =>
  Effect.map(CheckpointStore.CheckpointStore, (store) => {
    let left = passing
    const dies = <A, E>(at: typeof step, effect: Effect.Effect<A, E>) =>
      Effect.suspend(() => (at === step && left-- === 0 ? Effect.die("killed") : effect))
    return CheckpointStore.CheckpointStore.of({
      ...store,
      open: (key) =>
        Effect.map(store.open(key), (log) => ({
          ...log,
          begin: (header) => dies("begin", log.begin(header)),
          append: (part) => dies("append", log.append(part)),
          finish: (receipt) => dies("finish", log.finish(receipt)),
          remove: dies("remove", log.remove)
        }))
    })
  })

const killedAt = Effect.fnUntraced(function* (
  request: Upload.UploadRequest,
  step: "begin" | "append" | "finish" | "remove",
  passing?: number
) {
  const store = yield* storeThatDies(step, passing)
  const run = Upload.upload(request).pipe(
    Effect.provideService(CheckpointStore.CheckpointStore, store)
  )
  const exit = yield* Effect.exit(run)
  assert.isTrue(exit._tag === "Failure" && exit.cause.reasons.some(({ _tag }) => _tag === "Die"))
})

describe("a first upload", () => {
  it.effect("goes up in parts, and is the source to the last bit", () =>
    Effect.gen(function* () {
      const result = yield* Upload.upload(requestFor(fiveParts))
      assert.deepStrictEqual((yield* partsSent).toSorted(), [1, 2, 3, 4, 5])
      assert.deepInclude(result, {
        bucket,
        key,
        size: fiveParts.length,
        crc64: Crc64.of(fiveParts),
        verified: true,
        resumed: 0,
        sent: fiveParts.length
      })
      assert.match(result.etag, /^"[0-9A-F]{32}-5"$/)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect.each([0, 1, partSize - 1])("of %i bytes goes up with one request", (size) =>
    Effect.gen(function* () {
      const content = contentOf(size)
      const result = yield* Upload.upload(requestFor(content))
      assert.deepStrictEqual(yield* requests, { put: 1 })
      assert.deepInclude(result, { size, crc64: Crc64.of(content), verified: true })
      yield* assertWhole(content)
    }).pipe(Effect.provide(world))
  )

  it.effect.each([1, 2, 3])("of exactly %i parts has no empty tail", (count) =>
    Effect.gen(function* () {
      const content = contentOf(count * partSize)
      yield* Upload.upload(requestFor(content))
      assert.strictEqual((yield* partsSent).length, count)
      yield* assertWhole(content)
    }).pipe(Effect.provide(world))
  )

  it.effect("has no more parts on their way at once than asked for", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity })
      )
      yield* inTime(Upload.upload(requestFor(fiveParts, { concurrency: 2 })))
      const log = yield* emulator.log
      assert.strictEqual(Math.max(...log.map(({ inFlight }) => inFlight)), 2)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )
})

describe("a source smaller than a part", () => {
  const small = contentOf(1_000)
  /** Says how often a checkpoint was opened. */
  const countingOpens = Effect.map(CheckpointStore.CheckpointStore, (store) => {
    const seen = { opens: 0 }
    const open: typeof store.open = (...args) => {
      seen.opens++
      return store.open(...args)
    }
    return { seen, store: CheckpointStore.CheckpointStore.of({ ...store, open }) }
  })

  it.effect("goes up without a checkpoint, as there is nothing to resume", () =>
    Effect.gen(function* () {
      const { seen, store } = yield* countingOpens
      yield* Upload.upload(requestFor(small)).pipe(
        Effect.provideService(CheckpointStore.CheckpointStore, store)
      )
      assert.strictEqual(seen.opens, 0)
      yield* assertWhole(small)
    }).pipe(Effect.provide(world))
  )

  it.effect("still gives up what a run left that was larger then", () =>
    Effect.gen(function* () {
      const { source, edit } = editable(fiveParts)
      yield* stopAtPart4(requestFor(fiveParts, { source }))
      yield* edit(small)
      const { seen, store } = yield* countingOpens
      yield* Upload.upload(requestFor(small, { source })).pipe(
        Effect.provideService(CheckpointStore.CheckpointStore, store)
      )
      assert.strictEqual(seen.opens, 1)
      yield* assertWhole(small)
    }).pipe(Effect.provide(world))
  )

  it.effect("takes a checkpoint in a store that can't tell whether there is one", () =>
    Effect.gen(function* () {
      const { seen, store } = yield* countingOpens
      const { open, list } = store
      yield* Upload.upload(requestFor(small)).pipe(
        Effect.provideService(CheckpointStore.CheckpointStore, CheckpointStore.make({ open, list }))
      )
      assert.strictEqual(seen.opens, 1)
      yield* assertWhole(small)
    }).pipe(Effect.provide(world))
  )
})

const noSuchKey = new OssError.OssError({
  operation: "head",
  bucket,
  key,
  reason: new OssError.NoSuchKey()
})

describe("the next run", () => {
  it.effect("sends only what is missing, whichever parts those are", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.delay({ operation: "uploadPart", partNumber: 2, millis: 1_000 }),
        denied(2)
      )
      yield* inTime(Effect.flip(Upload.upload(requestFor(fiveParts))))
      const before = (yield* partsSent).length
      const result = yield* Upload.upload(requestFor(fiveParts))
      assert.deepStrictEqual((yield* partsSent).slice(before), [2])
      assert.deepInclude(result, { resumed: fiveParts.length - partSize, sent: partSize })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("sends a part again that the server lost", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.removePart({ bucket, key, uploadId, number: 2 })
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts))
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [2, 4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("adopts a part whose answer was lost, without sending it again", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.drop({ operation: "uploadPart", partNumber: 3, at: "after" }))
      const request = requestFor(fiveParts, { concurrency: 1 })
      yield* Effect.flip(Upload.upload({ ...request, retry: RetryPolicy.never }))
      const before = (yield* partsSent).length
      const events = yield* collect(request)
      assert.deepStrictEqual((yield* partsSent).slice(before), [4, 5])
      const adopted = events.filter((event) => event._tag === "PartUploaded" && event.adopted)
      assert.strictEqual(adopted.length, 1)
      const completed = events.find((event) => event._tag === "Completed")
      assert.deepInclude(completed?.result, { resumed: 3 * partSize, sent: partSize + 1_000 })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("does not adopt a part with other bytes", () =>
    Effect.gen(function* () {
      const { uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      const client = yield* OssClient.OssClient
      for (const number of [2, 4]) {
        const body = Body.fromBytes(contentOf(partSize, 99))
        yield* client.uploadPart({ key, uploadId, number, body })
      }
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts))
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [2, 4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("keeps the checkpoint's part size when none is asked for", () =>
    Effect.gen(function* () {
      yield* stopAtPart4(requestFor(fiveParts))
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts, { partSize: undefined }))
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("believes the journal alone where parts can't be listed", () =>
    Effect.gen(function* () {
      const { emulator } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.inject(
        Fault.answer({ operation: "listParts", status: 403, code: "AccessDenied", times: Infinity })
      )
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts))
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("starts afresh where parts can't be listed and one turns out to be lost", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.removePart({ bucket, key, uploadId, number: 2 })
      yield* emulator.inject(
        Fault.answer({ operation: "listParts", status: 403, code: "AccessDenied", times: Infinity })
      )
      const events = yield* collect(requestFor(fiveParts))
      assert.deepInclude(events, { _tag: "Restarted", reason: "PartsLost" })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("sends a part again that the server loses before Complete", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.inject(Fault.delay({ operation: "complete", millis: 60_000 }))
      const before = (yield* partsSent).length
      const loss = Effect.delay(
        emulator.removePart({ bucket, key, uploadId, number: 2 }),
        "30 seconds"
      )
      const run = Upload.upload(requestFor(fiveParts))
      yield* inTime(Effect.all([run, loss], { concurrency: 2 }))
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [2, 4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("says why parts needn't be sent: they are recorded, or others were lost", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.inject(Fault.delay({ operation: "complete", millis: 20_000 }))
      const loss = Effect.delay(
        emulator.removePart({ bucket, key, uploadId, number: 2 }),
        "10 seconds"
      )
      const run = collect(requestFor(fiveParts))
      const [events] = yield* inTime(Effect.all([run, loss], { concurrency: 2 }))
      assert.deepStrictEqual(
        events.filter(({ _tag }) => _tag === "Resumed"),
        [
          { _tag: "Resumed", reason: "Recorded", bytes: 3 * partSize, parts: 3 },
          { _tag: "Resumed", reason: "PartsLost", bytes: fiveParts.length - partSize, parts: 4 }
        ]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("says why parts needn't be sent: they are an object already", () =>
    Effect.gen(function* () {
      yield* killedAt(requestFor(fiveParts), "finish")
      const events = yield* collect(requestFor(fiveParts))
      const bytes = fiveParts.length
      assert.deepInclude(events, { _tag: "Resumed", reason: "Completed", bytes, parts: 5 })
    }).pipe(Effect.provide(world))
  )

  it.effect("fails, and keeps the upload id, while parts can't be listed for another reason", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.inject(
        Fault.answer({ operation: "listParts", status: 500, code: "InternalError", times: 5 })
      )
      const request = requestFor(fiveParts, { retry: RetryPolicy.backoff() })
      const error = yield* inTime(Effect.flip(Upload.upload(request)))
      assert.isTrue(error._tag === "OssError" && error.reason._tag === "ServerError")
      assert.strictEqual((yield* requests)["listParts"], 5)
      assert.strictEqual((yield* emulator.uploads(bucket))[0]?.uploadId, uploadId)
      yield* Upload.upload(requestFor(fiveParts))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("starts afresh when the upload was aborted meanwhile, and says why", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.abortUpload({ bucket, key, uploadId })
      const events = yield* collect(requestFor(fiveParts))
      assert.deepInclude(events, { _tag: "Restarted", reason: "UploadGone" })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect.each(["finish", "remove"] as const)(
    "succeeds without sending anything if the last one died after Complete, at %s",
    (step) =>
      Effect.gen(function* () {
        yield* killedAt(requestFor(fiveParts), step)
        assert.strictEqual((yield* pending).length, step === "finish" ? 1 : 0)
        const before = (yield* partsSent).length
        const result = yield* Upload.upload(requestFor(fiveParts))
        assert.strictEqual((yield* partsSent).length, before)
        assert.deepInclude(result, { verified: true, sent: 0, resumed: fiveParts.length })
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )

  it.effect("uploads afresh if the object that the last one made is not there any more", () =>
    Effect.gen(function* () {
      yield* killedAt(requestFor(fiveParts), "remove")
      const client = yield* OssClient.OssClient
      yield* client.put({ key, body: Body.fromBytes(contentOf(fiveParts.length, 99)) })
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts))
      assert.strictEqual((yield* partsSent).length, before + 5)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("does not take a different object of the same size for its own", () =>
    Effect.gen(function* () {
      yield* killedAt(requestFor(fiveParts), "finish")
      const client = yield* OssClient.OssClient
      yield* client.put({ key, body: Body.fromBytes(contentOf(fiveParts.length, 99)) })
      const events = yield* inTime(collect(requestFor(fiveParts)))
      assert.deepInclude(events, { _tag: "Restarted", reason: "UploadGone" })
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "leaves an upload without parts if the last one died before its upload id was recorded",
    () =>
      Effect.gen(function* () {
        yield* killedAt(requestFor(fiveParts), "begin", 0)
        yield* Upload.upload(requestFor(fiveParts))
        yield* assertWholeBesides(1, fiveParts)
      }).pipe(Effect.provide(world))
  )

  it.effect("waits for a Complete that OSS is still carrying out, and sends nothing again", () =>
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      yield* killedAt(requestFor(fiveParts), "finish")
      const before = (yield* partsSent).length
      let looks = 0
      const slow = OssClient.OssClient.of({
        ...client,
        head: (key) =>
          Effect.suspend(() => (++looks < 4 ? Effect.fail(noSuchKey) : client.head(key)))
      })
      yield* inTime(
        Effect.provideService(Upload.upload(requestFor(fiveParts)), OssClient.OssClient, slow)
      )
      assert.strictEqual((yield* partsSent).length, before)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect.each([0, 1, 2, 3, 4])(
    "carries on if the last one died while it recorded part %i",
    (passing) =>
      Effect.gen(function* () {
        yield* killedAt(requestFor(fiveParts, { concurrency: 1 }), "append", passing)
        const before = (yield* partsSent).length
        yield* Upload.upload(requestFor(fiveParts))
        assert.strictEqual((yield* partsSent).length - before, 4 - passing)
        yield* assertWhole(fiveParts)
      }).pipe(Effect.provide(world))
  )
})

describe("when only the inode differs from the last run, as after a remount", () => {
  const file = (content: Uint8Array, inode: number): Source.Source => {
    const fingerprint = `size=${content.length};modified=1;inode=${inode}`
    const open = Effect.map(Source.bytes(content).open, (opened) => ({
      ...opened,
      id: "file:/mnt/db.tar",
      fingerprint,
      currentFingerprint: Effect.succeed(fingerprint)
    }))
    return { name: "db.tar", open }
  }
  const first = { ...requestFor(fiveParts, { concurrency: 1 }), source: file(fiveParts, 1) }

  it.effect("compares what was sent with the bytes, and sends only what is missing", () =>
    Effect.gen(function* () {
      yield* stopAtPart4(first)
      const before = (yield* partsSent).length
      yield* Upload.upload({ ...first, source: file(fiveParts, 2) })
      assert.deepStrictEqual((yield* partsSent).slice(before), [4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("does the same out of the journal where parts may not be listed", () =>
    Effect.gen(function* () {
      const { emulator } = yield* stopAtPart4(first)
      yield* emulator.inject(
        Fault.answer({ operation: "listParts", status: 403, code: "AccessDenied" })
      )
      const before = (yield* partsSent).length
      yield* Upload.upload({ ...first, source: file(fiveParts, 2) })
      assert.deepStrictEqual((yield* partsSent).slice(before), [4, 5])
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("sends again each part that is not what it was", () =>
    Effect.gen(function* () {
      yield* stopAtPart4(first)
      const other = Uint8Array.from(fiveParts)
      other[partSize + 7]! ^= 1
      const before = (yield* partsSent).length
      yield* Upload.upload({ ...first, source: file(other, 2) })
      assert.deepStrictEqual((yield* partsSent).slice(before), [2, 4, 5])
      yield* assertWhole(other)
    }).pipe(Effect.provide(world))
  )

  it.effect("takes no object for this source's without reading it", () =>
    Effect.gen(function* () {
      yield* killedAt(first, "finish")
      const other = Uint8Array.from(fiveParts)
      other[partSize + 7]! ^= 1
      yield* inTime(Upload.upload({ ...first, source: file(other, 2) }))
      yield* assertWhole(other)
    }).pipe(Effect.provide(world))
  )
})

describe("when something else is asked for than by the last run", () => {
  const changed: ReadonlyArray<[string, Partial<Upload.UploadRequest>]> = [
    ["OptionsChanged", { meta: { owner: "someone else" } }],
    ["OptionsChanged", { mime: "text/plain" }],
    ["OptionsChanged", { headers: { "Cache-Control": "no-cache" } }],
    ["OptionsChanged", { storageClass: "IA" }],
    ["OptionsChanged", { tagging: { project: "x" } }],
    ["OptionsChanged", { serverSideEncryption: { algorithm: "KMS", keyId: "another" } }],
    ["PartSizeChanged", { partSize: 2 * Part.minPartSize }]
  ]
  it.effect.each(changed)("starts afresh, says %s, and aborts the old upload", ([reason, change]) =>
    Effect.gen(function* () {
      yield* stopAtPart4(requestFor(fiveParts))
      const events = yield* collect(requestFor(fiveParts, change))
      assert.isTrue(events.some((event) => event._tag === "Restarted" && event.reason === reason))
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("carries on with what only Complete sets, as it is asked for now", () =>
    Effect.gen(function* () {
      const { emulator } = yield* stopAtPart4(requestFor(fiveParts, { acl: "private" }))
      const before = (yield* partsSent).length
      yield* Upload.upload(requestFor(fiveParts, { acl: "public-read" }))
      assert.deepStrictEqual((yield* partsSent).slice(before).toSorted(), [4, 5])
      const object = Option.getOrThrow(yield* emulator.object(bucket, key))
      assert.strictEqual(object.headers["x-oss-object-acl"], "public-read")
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("fails, and keeps the old upload's checkpoint, while that can't be aborted", () =>
    Effect.gen(function* () {
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts))
      yield* emulator.inject(
        Fault.answer({ operation: "abort", status: 500, code: "InternalError", times: 5 })
      )
      const other = requestFor(fiveParts, { meta: { owner: "someone else" } })
      const once = { ...other, retry: RetryPolicy.backoff() }
      const error = yield* inTime(Effect.flip(Upload.upload(once)))
      assert.isTrue(error._tag === "OssError" && error.reason._tag === "ServerError")
      assert.strictEqual((yield* emulator.uploads(bucket))[0]?.uploadId, uploadId)
      assert.strictEqual((yield* pending)[0]?.parts, 3)
      yield* Upload.upload(other)
      yield* assertWhole(fiveParts)
    }).pipe(Effect.provide(world))
  )

  it.effect("starts afresh with a source that changed in between", () =>
    Effect.gen(function* () {
      const { source, edit } = editable(fiveParts)
      yield* stopAtPart4(requestFor(fiveParts, { source }))
      const other = contentOf(fiveParts.length, 2)
      yield* edit(other)
      const events = yield* collect(requestFor(other, { source }))
      assert.deepInclude(events, { _tag: "Restarted", reason: "SourceChanged" })
      yield* assertWhole(other)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "sends a source that has become small with one request, and aborts the old upload",
    () =>
      Effect.gen(function* () {
        const { source, edit } = editable(fiveParts)
        yield* stopAtPart4(requestFor(fiveParts, { source }))
        yield* edit(contentOf(10))
        yield* Upload.upload(requestFor(fiveParts, { source }))
        yield* assertWhole(contentOf(10))
      }).pipe(Effect.provide(world))
  )

  it.effect("fails, and keeps everything, if asked to fail when the source changed", () =>
    Effect.gen(function* () {
      const { source, edit } = editable(fiveParts)
      const { emulator, uploadId } = yield* stopAtPart4(requestFor(fiveParts, { source }))
      yield* edit(contentOf(fiveParts.length, 2))
      const request = requestFor(fiveParts, { source, onSourceChanged: "fail" })
      const error = yield* Effect.flip(Upload.upload(request))
      assert.isTrue(error._tag === "SourceError" && error.reason._tag === "SourceChanged")
      assert.strictEqual((yield* emulator.uploads(bucket))[0]?.uploadId, uploadId)
      assert.strictEqual((yield* pending).length, 1)
    }).pipe(Effect.provide(world))
  )
})

describe("a source that changes while it is uploaded", () => {
  it.effect("fails before Complete, so that no mixture is stored", () =>
    Effect.gen(function* () {
      const { source, edit } = editable(fiveParts)
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.delay({ operation: "uploadPart", partNumber: 5, millis: 60_000 })
      )
      const other = contentOf(fiveParts.length, 2)
      const run = Effect.flip(
        Upload.upload(requestFor(fiveParts, { source, stallTimeout: "5 minutes" }))
      )
      const [error] = yield* inTime(
        Effect.all([run, Effect.delay(edit(other), "30 seconds")], { concurrency: 2 })
      )
      assert.isTrue(error._tag === "SourceError" && error.reason._tag === "SourceChanged")
      assert.isTrue((yield* emulator.object(bucket, key))._tag === "None")
      yield* Upload.upload(requestFor(other, { source }))
      yield* assertWhole(other)
    }).pipe(Effect.provide(world))
  )

  it.effect("stores nothing if it goes up with one request", () =>
    Effect.gen(function* () {
      const { source, edit } = editable(contentOf(90_000))
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.delay({ operation: "put", millis: 60_000, at: { bytes: 65_536 } })
      )
      const request = requestFor(fiveParts, { source, stallTimeout: "5 minutes" })
      const edits = Effect.delay(edit(contentOf(90_000, 2)), "30 seconds")
      const [error] = yield* inTime(
        Effect.all([Effect.flip(Upload.upload(request)), edits], { concurrency: 2 })
      )
      assert.isTrue(error._tag === "SourceError" && error.reason._tag === "SourceChanged")
      assert.isTrue((yield* emulator.object(bucket, key))._tag === "None")
    }).pipe(Effect.provide(world))
  )
})
