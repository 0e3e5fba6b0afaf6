/** Which parts a resumed upload sends: every combination of what the journal and OSS know of them, and lists of any length. */
import { assert, describe, it } from "@effect/vitest"
import {
  Body,
  Checkpoint,
  CheckpointStore,
  Crc64,
  OssClient,
  Source,
  Upload,
  OssModel
} from "@effect-oss/core"
import type { Part } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Layer, Option, Stream } from "effect"
import {
  assertWhole,
  collect,
  contentOf,
  key,
  partSize,
  requestFor,
  world
} from "../support/world.ts"
import { digestOptions } from "../../src/internal/checkpoint.ts"

const content = contentOf(partSize + 1_000)
const numbers = [1, 2] as const
const bytesOf = (number: number) => content.subarray((number - 1) * partSize, number * partSize)
const otherBytes = (number: number) => contentOf(bytesOf(number).length, 99)

/** What the journal says of a part, what OSS has of it, and whether it is to be sent. */
const states = {
  "both have it": { journal: "right", server: "right", isSent: false },
  "only OSS has it": { journal: "nothing", server: "right", isSent: false },
  "only OSS has it, with other bytes": { journal: "nothing", server: "other", isSent: true },
  "OSS has other bytes than the journal says": { journal: "right", server: "other", isSent: true },
  "the journal has another ETag": { journal: "other", server: "right", isSent: false },
  "OSS has another size": { journal: "right", server: "short", isSent: true },
  "OSS lost it": { journal: "right", server: "nothing", isSent: true },
  "nobody has it": { journal: "nothing", server: "nothing", isSent: true }
} as const
type State = keyof typeof states
const names = Object.keys(states) as ReadonlyArray<State>

const combinations = names.flatMap((first) => names.map((second) => [first, second] as const))

const onServer = { right: bytesOf, other: otherBytes, short: () => contentOf(500) }

const header = (uploadId: string): Checkpoint.Header => ({
  endpoint: "http://oss.test",
  bucket: "test-bucket",
  key,
  sourceId: "bytes:source",
  fingerprint: `size=${content.length};crc64=${Crc64.of(content)}`,
  size: content.length,
  partSize,
  options: digestOptions({}),
  createdAt: 0,
  uploadId
})

const record = (header: Checkpoint.Header, parts: Iterable<Part.UploadedPart>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = yield* CheckpointStore.CheckpointStore
      const log = yield* store.open(Checkpoint.keyOf(header))
      yield* log.begin(header)
      yield* Effect.forEach(parts, log.append, { discard: true })
    })
  )

/** What is read at any place, and what is read in order: what an upload of it asks for, and what its checkpoint says of it. */
const kinds = {
  bytes: { request: requestFor(content), identity: {} },
  stream: {
    request: {
      key,
      partSize,
      source: Source.stream("source", Stream.make(content), { size: content.length })
    },
    identity: { sourceId: "stream:source", fingerprint: "" }
  }
}

/** Makes it so that an earlier run has left each part like this; the last was recorded first. */
const leave = Effect.fnUntraced(function* (
  left: ReadonlyArray<State>,
  identity: Partial<Checkpoint.Header>
) {
  const client = yield* OssClient.OssClient
  const { uploadId } = yield* client.initiate(key)
  const recorded: Array<Part.UploadedPart> = []
  for (const number of numbers) {
    const { journal, server } = states[left[number - 1] ?? "nobody has it"]
    const send = (bytes: Uint8Array) =>
      client.uploadPart({ key, uploadId, number, body: Body.fromBytes(bytes) })
    const { etag } = yield* send(bytesOf(number))
    const bytes = bytesOf(number)
    const place = { number, offset: (number - 1) * partSize, size: bytes.length }
    const other = journal === "other" ? '"00000000000000000000000000000000"' : etag
    if (journal !== "nothing") recorded.push({ ...place, etag: other, crc64: Crc64.of(bytes) })
    if (server !== "nothing" && server !== "right") yield* send(onServer[server](number))
    if (server !== "nothing") continue
    const emulator = yield* OssEmulator.OssEmulator
    yield* emulator.removePart({ bucket: client.bucket, key, uploadId, number })
  }
  yield* record({ ...header(uploadId), ...identity }, recorded.toReversed())
})

const partsSentBy = (
  run: Effect.Effect<unknown, unknown, OssClient.OssClient | CheckpointStore.CheckpointStore>
) =>
  Effect.gen(function* () {
    const emulator = yield* OssEmulator.OssEmulator
    const before = (yield* emulator.log).length
    yield* run
    return (yield* emulator.log)
      .slice(before)
      .flatMap(({ operation, partNumber }) => (operation === "uploadPart" ? [partNumber] : []))
      .toSorted()
  })

/** Runs a test in a world of its own for each combination. */
const inAll = (
  check: (left: ReadonlyArray<State>, label: string) => Effect.Effect<void, unknown, Parts>
) =>
  Effect.forEach(
    combinations,
    (left) => check(left, left.join("; ")).pipe(Effect.provide(Layer.fresh(world))),
    { discard: true }
  )
type Parts = Layer.Success<typeof world>

for (const [kind, { request, identity }] of Object.entries(kinds)) {
  describe(`a resumed upload of ${kind}`, () => {
    it.effect("sends what is missing, and nothing else, in all 64 states of two parts", () =>
      inAll(
        Effect.fnUntraced(function* (left, label) {
          yield* leave(left, identity)
          const sent = yield* partsSentBy(Upload.upload(request))
          const missing = numbers.filter((number) => states[left[number - 1]!].isSent)
          assert.deepStrictEqual(sent, missing, label)
          yield* assertWhole(content)
        })
      )
    )

    it.effect("makes no mixture of them where OSS may not be asked which parts it has", () =>
      inAll(
        Effect.fnUntraced(function* (left) {
          yield* leave(left, identity)
          const emulator = yield* OssEmulator.OssEmulator
          yield* emulator.inject(
            Fault.answer({ operation: "listParts", status: 403, code: "AccessDenied", times: 9 })
          )
          yield* Upload.upload(request)
          yield* assertWhole(content)
        })
      )
    )
  })
}

/** A client to an OSS that has so many parts, and gives lists of them in pages of 1,000. */
const listing = (listed: ReadonlyArray<OssModel.ListedPart>, whole: bigint) => {
  const sent: Array<number> = []
  const pages: Array<number | undefined> = []
  const completed: Array<number> = []
  const client = Effect.map(OssClient.OssClient, (client) =>
    OssClient.OssClient.of({
      ...client,
      listParts: ({ after }) =>
        Effect.sync(() => {
          pages.push(after)
          const parts = listed.filter(({ number }) => number > (after ?? 0)).slice(0, 1_000)
          const last = parts.at(-1)?.number
          const isMore = last !== undefined && last < (listed.at(-1)?.number ?? 0)
          return { parts, next: isMore ? Option.some(last) : Option.none() }
        }),
      uploadPart: ({ number, body }) =>
        Effect.map(body.read(new Uint8Array(body.size), 0), () => {
          sent.push(number)
          return { etag: `"${number}"`, crc64: Option.none() }
        }),
      complete: ({ parts }) =>
        Effect.sync(() => {
          completed.push(...parts.map(({ number }) => number))
          const none = Option.none<string>()
          return { etag: '"whole"', crc64: Option.some(whole), versionId: none, requestId: none }
        })
    })
  )
  return { sent, pages, completed, client }
}

/** As many zeros as it takes. */
const zeros = (size: number): Source.Source => ({
  name: "zeros",
  open: Effect.succeed({
    _tag: "RandomAccess",
    id: "zeros",
    size,
    fingerprint: "zeros",
    currentFingerprint: Effect.succeed("zeros"),
    read: (target) => Effect.sync(() => void target.fill(0))
  })
})

describe("a list of parts", () => {
  const crc64 = Crc64.of(new Uint8Array(partSize))
  const cases = [
    [0, 1],
    [1, 1],
    [1_000, 1],
    [1_001, 2],
    [10_000, 10]
  ] as const
  it.effect.each(cases)("of %i is read to its end, on %i pages", ([count, pageCount]) =>
    Effect.gen(function* () {
      // OSS lost the first ones, so that it is the end of the list that counts.
      const lost = Math.min(3, 10_000 - count)
      const parts = Array.from({ length: lost + count }, (_, index): Part.UploadedPart => ({
        number: index + 1,
        offset: index * partSize,
        size: partSize,
        etag: `"${index + 1}"`,
        crc64
      }))
      const whole = parts.reduce((sum) => Crc64.combine(sum, crc64, partSize), 0n)
      const size = parts.length * partSize
      const kept = parts.slice(lost).map(({ number, etag }) => {
        const told = Option.some(crc64)
        return { number, etag, size: partSize, crc64: told }
      })
      const { client, sent, pages, completed } = listing(kept, whole)
      yield* record({ ...header("id"), size, sourceId: "zeros", fingerprint: "zeros" }, parts)
      const result = yield* Upload.upload({ key, source: zeros(size), partSize }).pipe(
        Effect.provideServiceEffect(OssClient.OssClient, client)
      )
      assert.strictEqual(pages.length, pageCount)
      assert.deepStrictEqual(
        sent.toSorted(),
        parts.slice(0, lost).map(({ number }) => number)
      )
      assert.deepStrictEqual(
        completed,
        parts.map(({ number }) => number)
      )
      assert.deepInclude(result, { crc64: whole, verified: true, resumed: count * partSize })
    }).pipe(Effect.provide(world))
  )
})

describe("a resumed upload of which only Complete is missing", () => {
  it.effect.each([1, 2, 3])("and that is exactly %i parts long sends nothing", (count) =>
    Effect.gen(function* () {
      const exact = contentOf(count * partSize)
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(
        Fault.answer({ operation: "complete", status: 403, code: "AccessDenied" })
      )
      yield* Effect.flip(Upload.upload(requestFor(exact)))
      const sent = yield* partsSentBy(
        Effect.map(collect(requestFor(exact)), (events) =>
          assert.deepInclude(events, {
            _tag: "Resumed",
            reason: "Recorded",
            bytes: exact.length,
            parts: count
          })
        )
      )
      assert.deepStrictEqual(sent, [])
      yield* assertWhole(exact)
    }).pipe(Effect.provide(world))
  )
})
