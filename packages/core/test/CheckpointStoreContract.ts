/**
 * What every checkpoint store keeps to. A store's own test calls this with its
 * layer, which is built anew for each test.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Random, Scope, Stream } from "effect"
import type { Layer } from "effect"
import { Checkpoint, CheckpointStore } from "@effect-oss/core"
import type { Part } from "@effect-oss/core"

/** A header; `createdAt` tells one from another. */
export const header = (createdAt = 1): Checkpoint.Header => ({
  endpoint: "https://oss-cn-hangzhou.aliyuncs.com",
  bucket: "bucket",
  key: "backups/数据\n😀.tar",
  sourceId: "file:/data/db.tar",
  fingerprint: "80000000000-1700000000000.25-42",
  size: 80_000_000_000,
  partSize: 8_388_608,
  options: "f00d",
  createdAt,
  phase: { _tag: "Uploading", uploadId: "0004B9894A22E5B1888A1E29F823****" }
})

/** A part like no other. */
export const part = (number: number): Part.UploadedPart => ({
  number,
  offset: (number - 1) * 8_388_608,
  size: 8_388_608,
  etag: `"${number.toString(16).toUpperCase().padStart(32, "0")}"`,
  crc64: 0xffff_ffff_ffff_ffffn - BigInt(number)
})

/** `part` from 1 to `count`. */
export const parts = (count: number): ReadonlyArray<Part.UploadedPart> =>
  Array.from({ length: count }, (_, index) => part(index + 1))

/** Opens a checkpoint for as long as `use` takes. */
export const withLog = <A, E, R>(
  key: string,
  use: (log: CheckpointStore.CheckpointLog) => Effect.Effect<A, E, R>
) =>
  Effect.scoped(
    CheckpointStore.CheckpointStore.use((store) => store.open(key)).pipe(Effect.flatMap(use))
  )

/** What a new holder finds, by part number. */
export const recover = (key: string) =>
  withLog(key, ({ recovered }) =>
    Effect.succeed(
      Option.map(recovered, ({ header, parts }) => ({
        header,
        parts: [...parts].sort((a, b) => a.number - b.number)
      }))
    )
  )

/** The error of what must fail. */
export const refusal = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<E, never, R> =>
  Effect.orDie(Effect.flip(effect))

const list = CheckpointStore.CheckpointStore.use((store) => Stream.runCollect(store.list)).pipe(
  Effect.map((all) => [...all].sort((a, b) => (a.checkpointKey < b.checkpointKey ? -1 : 1)))
)

type Store = Layer.Layer<CheckpointStore.CheckpointStore>

const testOn =
  (layer: Store) =>
  (
    title: string,
    effect: Effect.Effect<
      void,
      CheckpointStore.CheckpointError,
      CheckpointStore.CheckpointStore | Scope.Scope
    >
  ) =>
    it.effect(title, () => Effect.provide(effect, layer))

/** The tests of the contract, for one store. */
export const checkpointStoreContract = (name: string, layer: Store) =>
  describe(`${name} keeps the contract of CheckpointStore`, () => {
    const test = testOn(layer)

    test(
      "recovers nothing where nothing was begun",
      Effect.gen(function* () {
        assert.isTrue(Option.isNone(yield* recover("key")))
        assert.isTrue(Option.isNone(yield* recover("key")))
      })
    )

    test(
      "recovers a header that has no parts yet",
      Effect.gen(function* () {
        const initiating: Checkpoint.Header = {
          ...header(),
          phase: { _tag: "Initiating", known: ["a", "b"], serverTime: 12.5 }
        }
        yield* withLog("key", (log) => log.begin(initiating))
        assert.deepStrictEqual(
          yield* recover("key"),
          Option.some({ header: initiating, parts: [] })
        )
      })
    )

    test(
      "recovers what was appended, in that order",
      Effect.gen(function* () {
        const appended = [part(3), part(1), part(10_000), part(2)]
        yield* withLog("key", (log) =>
          Effect.andThen(log.begin(header()), Effect.forEach(appended, log.append))
        )
        const { recovered } = yield* withLog("key", Effect.succeed)
        assert.deepStrictEqual(recovered, Option.some({ header: header(), parts: appended }))
      })
    )

    test(
      "adds to what a run before recorded",
      Effect.gen(function* () {
        yield* withLog("key", (log) => Effect.andThen(log.begin(header()), log.append(part(1))))
        yield* withLog("key", (log) => Effect.andThen(log.append(part(2)), log.append(part(3))))
        yield* withLog("key", (log) => log.append(part(4)))
        assert.deepStrictEqual(
          yield* recover("key"),
          Option.some({ header: header(), parts: parts(4) })
        )
      })
    )

    test(
      "lets the last record of a part count",
      Effect.gen(function* () {
        const again = { ...part(1), etag: '"again"', crc64: 0n }
        yield* withLog("key", (log) =>
          Effect.andThen(log.begin(header()), Effect.forEach([part(1), part(2)], log.append))
        )
        yield* withLog("key", (log) => log.append(again))
        assert.deepStrictEqual(
          yield* recover("key"),
          Option.some({ header: header(), parts: [again, part(2)] })
        )
      })
    )

    test(
      "replaces header and parts when it begins again",
      Effect.gen(function* () {
        yield* withLog("key", (log) =>
          Effect.gen(function* () {
            yield* log.begin(header(1))
            yield* log.append(part(1))
            yield* log.begin(header(2))
            yield* log.append(part(2))
          })
        )
        assert.deepStrictEqual(
          yield* recover("key"),
          Option.some({ header: header(2), parts: [part(2)] })
        )
        yield* withLog("key", (log) => log.begin(header(3)))
        assert.deepStrictEqual(yield* recover("key"), Option.some({ header: header(3), parts: [] }))
      })
    )

    test(
      "forgets what is removed, however often",
      Effect.gen(function* () {
        yield* withLog("key", (log) => log.remove)
        yield* withLog("key", (log) =>
          Effect.gen(function* () {
            yield* log.begin(header())
            yield* log.append(part(1))
            yield* log.remove
            yield* log.remove
          })
        )
        assert.isTrue(Option.isNone(yield* recover("key")))
      })
    )

    test(
      "forgets what a run before recorded",
      Effect.gen(function* () {
        yield* withLog("key", (log) => Effect.andThen(log.begin(header()), log.append(part(1))))
        yield* withLog("key", (log) => log.remove)
        assert.isTrue(Option.isNone(yield* recover("key")))
      })
    )

    test(
      "begins again after a removal",
      Effect.gen(function* () {
        yield* withLog("key", (log) =>
          Effect.gen(function* () {
            yield* log.begin(header(1))
            yield* log.append(part(1))
            yield* log.remove
            yield* log.begin(header(2))
            yield* log.append(part(2))
          })
        )
        assert.deepStrictEqual(
          yield* recover("key"),
          Option.some({ header: header(2), parts: [part(2)] })
        )
      })
    )

    test(
      "tells everyone but the holder that the checkpoint is busy, until the scope closes",
      Effect.gen(function* () {
        const store = yield* CheckpointStore.CheckpointStore
        const scope = yield* Scope.make()
        const log = yield* Scope.provide(store.open("key"), scope)
        assert.strictEqual((yield* refusal(recover("key"))).reason._tag, "Busy")
        yield* log.begin(header())
        assert.strictEqual((yield* refusal(recover("key"))).reason._tag, "Busy")
        assert.isTrue(Option.isNone(yield* recover("another key")))
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(Option.isSome(yield* recover("key")))
      })
    )

    test(
      "lets one of many have the checkpoint",
      Effect.gen(function* () {
        const store = yield* CheckpointStore.CheckpointStore
        const opened = yield* Effect.forEach(
          Array.from({ length: 8 }),
          () => Effect.result(store.open("key")),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(opened.filter((one) => one._tag === "Success").length, 1)
      })
    )

    test(
      "gives the checkpoint free when its holder is interrupted",
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(
          withLog("key", (log) => Effect.andThen(log.begin(header()), Effect.never)),
          { startImmediately: true }
        )
        yield* Effect.repeat(list, { until: (all) => all.length === 1 })
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* recover("key"), Option.some({ header: header(), parts: [] }))
      })
    )

    test(
      "keeps checkpoints apart, whatever their keys",
      Effect.gen(function* () {
        const keys = ["", "a", "A", "a/b", "../a", "a\nb", "😀", "\ud800", "x".repeat(5000)]
        yield* Effect.forEach(keys, (key, index) =>
          withLog(key, (log) =>
            Effect.andThen(log.begin(header(index)), log.append(part(index + 1)))
          )
        )
        const found = yield* Effect.forEach(keys, recover)
        assert.deepStrictEqual(
          found,
          keys.map((_, index) => Option.some({ header: header(index), parts: [part(index + 1)] }))
        )
      })
    )

    test(
      "lists every checkpoint there is, held or not",
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* list, [])
        yield* withLog("a", (log) =>
          Effect.andThen(log.begin(header(1)), Effect.forEach(parts(3), log.append))
        )
        yield* withLog("gone", (log) => Effect.andThen(log.begin(header(2)), log.remove))
        yield* recover("never begun")
        yield* withLog("b", (log) =>
          Effect.gen(function* () {
            yield* log.begin(header(3))
            assert.deepStrictEqual(yield* list, [
              { checkpointKey: "a", header: header(1), durable: 3 * 8_388_608, parts: 3 },
              { checkpointKey: "b", header: header(3), durable: 0, parts: 0 }
            ])
          })
        )
      })
    )

    test(
      "keeps all of many parts appended at once",
      Effect.gen(function* () {
        const shuffled = yield* Random.shuffle(parts(500)).pipe(Random.withSeed("order"))
        yield* withLog("key", (log) =>
          Effect.andThen(
            log.begin(header()),
            Effect.forEach(shuffled, log.append, { concurrency: 50 })
          )
        )
        assert.deepStrictEqual(
          yield* recover("key"),
          Option.some({ header: header(), parts: parts(500) })
        )
      })
    )

    test(
      "keeps 10,000 parts, the most that OSS takes",
      Effect.gen(function* () {
        yield* withLog("key", (log) =>
          Effect.andThen(
            log.begin(header()),
            Effect.forEach(parts(10_000), log.append, { concurrency: "unbounded", discard: true })
          )
        )
        yield* withLog("key", (log) => log.append(part(1)))
        assert.deepStrictEqual(
          yield* recover("key"),
          Option.some({ header: header(), parts: parts(10_000) })
        )
      })
    )
  })
