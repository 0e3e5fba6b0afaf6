/**
 * The contract of checkpoint stores, as a list of laws that any test runner can
 * run. Each law is an Effect that needs an empty `CheckpointStore`. It fails
 * with `ContractBroken` if the store breaks the law.
 *
 * **Example** (a store's whole test)
 *
 * ```ts
 * import { CheckpointStore } from "@effect-oss/core"
 * import * as CheckpointStoreContract from "@effect-oss/core/testing/CheckpointStoreContract"
 * import { it } from "@effect/vitest"
 * import { Effect } from "effect"
 *
 * it.effect.each(CheckpointStoreContract.laws)("$name", ({ check }) =>
 *   Effect.provide(check, CheckpointStore.layerMemory)
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Finished, Header } from "../Checkpoint.ts"
import * as Checkpoint from "../Checkpoint.ts"
import type { CheckpointError } from "../CheckpointStore.ts"
import { CheckpointStore } from "../CheckpointStore.ts"
import type { UploadedPart } from "../Part.ts"
import { brief, ContractBroken, expectDefect, expectEqual } from "./expectations.ts"
import { header, keyOf, part, parts, receipt, recover, withLog } from "./fixtures.ts"

export { ContractBroken } from "./expectations.ts"

/** One law of the contract. */
interface Law {
  /** A sentence about the store. */
  readonly name: string
  /** Needs an empty store. */
  readonly check: Effect.Effect<void, ContractBroken | CheckpointError, CheckpointStore>
}

const list = Effect.map(
  CheckpointStore.use((store) => Stream.runCollect(store.list)),
  (all) => [...all].sort((a, b) => (a.checkpointKey < b.checkpointKey ? -1 : 1))
)

const listFinished: Effect.Effect<
  ReadonlyArray<Finished>,
  CheckpointError,
  CheckpointStore
> = CheckpointStore.use((store) => Stream.runCollect(store.listFinished))

const expectFound = (key: string, header: Header, parts: ReadonlyArray<UploadedPart>) =>
  Effect.flatMap(recover(key), (found) => expectEqual(found, Option.some({ header, parts })))

const expectNothing = (key: string) =>
  Effect.flatMap(recover(key), (found) => expectEqual(found, Option.none()))

const expectBusy = (key: string) =>
  Effect.matchEffect(recover(key), {
    onSuccess: (found) =>
      Effect.fail(new ContractBroken({ expected: "Busy", actual: brief(found) })),
    onFailure: (error) => expectEqual<string>(error.reason._tag, "Busy")
  })

const expectHas = (name: string, expected: boolean) =>
  CheckpointStore.use(({ has }) =>
    Effect.flatMap(has(keyOf(name)), (actual) => expectEqual(actual, expected))
  )

/** Begins the checkpoint with `header(1, name)` and appends the parts. */
const record = (name: string, parts: ReadonlyArray<UploadedPart>) =>
  withLog(name, (log) =>
    Effect.andThen(log.begin(header(1, name)), Effect.forEach(parts, log.append, { discard: true }))
  )

const begin = (header: Header) =>
  Effect.scoped(
    Effect.flatMap(
      CheckpointStore.use((store) => store.open(Checkpoint.keyOf(header))),
      (log) => log.begin(header)
    )
  )

/**
 * The contract of `CheckpointStore`.
 *
 * @category laws
 * @since 0.1.0
 */
export const laws: ReadonlyArray<Law> = [
  {
    name: "recovers nothing where nothing was begun",
    check: Effect.andThen(expectNothing("key"), expectNothing("key"))
  },
  {
    name: "tells what is there from `begin` to `remove`, held or not",
    check: Effect.gen(function* () {
      yield* expectHas("key", false)
      yield* withLog("key", (log) =>
        Effect.andThen(
          log.begin(header()),
          Effect.andThen(expectHas("key", true), log.append(part(1)))
        )
      )
      yield* expectHas("key", true)
      yield* expectHas("other", false)
      yield* withLog("key", (log) => Effect.andThen(log.remove, expectHas("key", false)))
      yield* expectHas("key", false)
    })
  },
  {
    name: "recovers a header that has no parts yet",
    check: Effect.gen(function* () {
      yield* withLog("key", (log) => log.begin(header()))
      yield* expectFound("key", header(), [])
    })
  },
  {
    name: "recovers what was appended, in that order",
    check: Effect.gen(function* () {
      const appended = [part(3), part(1), part(10_000), part(2)]
      yield* record("key", appended)
      const { recovered } = yield* withLog("key", Effect.succeed)
      yield* expectEqual(recovered, Option.some({ header: header(), parts: appended }))
    })
  },
  {
    name: "adds to what a run before recorded",
    check: Effect.gen(function* () {
      yield* record("key", parts(1))
      yield* withLog("key", (log) => Effect.andThen(log.append(part(2)), log.append(part(3))))
      yield* withLog("key", (log) => log.append(part(4)))
      yield* expectFound("key", header(), parts(4))
    })
  },
  {
    name: "lets the last record of a part count",
    check: Effect.gen(function* () {
      const again = { ...part(1), etag: '"again"', crc64: 0n }
      yield* record("key", parts(2))
      yield* withLog("key", (log) => log.append(again))
      yield* expectFound("key", header(), [again, part(2)])
    })
  },
  {
    name: "replaces header and parts when it begins again",
    check: Effect.gen(function* () {
      yield* withLog("key", (log) =>
        Effect.gen(function* () {
          yield* log.begin(header(1))
          yield* log.append(part(1))
          yield* log.begin(header(2))
          yield* log.append(part(2))
        })
      )
      yield* expectFound("key", header(2), [part(2)])
      yield* withLog("key", (log) => log.begin(header(3)))
      yield* expectFound("key", header(3), [])
    })
  },
  {
    name: "forgets what is removed, however often",
    check: Effect.gen(function* () {
      yield* withLog("key", (log) => log.remove)
      yield* withLog("key", (log) =>
        Effect.gen(function* () {
          yield* log.begin(header())
          yield* log.append(part(1))
          yield* log.remove
          yield* log.remove
        })
      )
      yield* expectNothing("key")
    })
  },
  {
    name: "forgets what a run before recorded",
    check: Effect.gen(function* () {
      yield* record("key", parts(1))
      yield* withLog("key", (log) => log.remove)
      yield* expectNothing("key")
    })
  },
  {
    name: "begins again after a removal",
    check: Effect.gen(function* () {
      yield* withLog("key", (log) =>
        Effect.gen(function* () {
          yield* log.begin(header(1))
          yield* log.append(part(1))
          yield* log.remove
          yield* log.begin(header(2))
          yield* log.append(part(2))
        })
      )
      yield* expectFound("key", header(2), [part(2)])
    })
  },
  {
    name: "tells everyone but the holder that the checkpoint is busy, until the scope closes",
    check: Effect.gen(function* () {
      const store = yield* CheckpointStore
      const scope = yield* Scope.make()
      const log = yield* Scope.provide(store.open(keyOf("key")), scope)
      yield* expectBusy("key")
      yield* log.begin(header())
      yield* expectBusy("key")
      yield* expectNothing("another key")
      yield* Scope.close(scope, Exit.void)
      yield* expectFound("key", header(), [])
    })
  },
  {
    name: "lets one of many have the checkpoint",
    check: Effect.gen(function* () {
      const store = yield* CheckpointStore
      const opened = yield* Effect.forEach(
        Array.from({ length: 8 }),
        () => Effect.result(store.open(keyOf("key"))),
        { concurrency: "unbounded" }
      )
      yield* expectEqual(opened.filter((one) => one._tag === "Success").length, 1)
    }).pipe(Effect.scoped)
  },
  {
    name: "gives the checkpoint free when its holder is interrupted",
    check: Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        withLog("key", (log) => Effect.andThen(log.begin(header()), Effect.never)),
        { startImmediately: true }
      )
      yield* Effect.repeat(list, { until: (all) => all.length === 1 })
      yield* Fiber.interrupt(fiber)
      yield* expectFound("key", header(), [])
    })
  },
  {
    name: "keeps checkpoints apart, whatever their keys",
    check: Effect.gen(function* () {
      const keys = ["", "a", "A", "a/b", "../a", "a\nb", "😀", "\ud800", "x".repeat(5000)]
      yield* Effect.forEach(keys, (key, index) =>
        withLog(key, (log) =>
          Effect.andThen(log.begin(header(index, key)), log.append(part(index + 1)))
        )
      )
      yield* Effect.forEach(keys, (key, index) =>
        expectFound(key, header(index, key), [part(index + 1)])
      )
    })
  },
  {
    name: "lists every checkpoint there is, held or not",
    check: Effect.gen(function* () {
      yield* expectEqual(yield* list, [])
      yield* record("a", parts(3))
      yield* withLog("gone", (log) => Effect.andThen(log.begin(header(2, "gone")), log.remove))
      yield* recover("never begun")
      yield* withLog("b", (log) =>
        Effect.gen(function* () {
          yield* log.begin(header(3, "b"))
          yield* expectEqual(yield* list, [
            { checkpointKey: keyOf("a"), header: header(1, "a"), durable: 3 * 8_388_608, parts: 3 },
            { checkpointKey: keyOf("b"), header: header(3, "b"), durable: 0, parts: 0 }
          ])
        })
      )
    })
  },
  {
    name: "lists the checkpoints of one object, whatever their sources, and of no other",
    check: Effect.gen(function* () {
      const other = { ...header(), key: "backups/another.tar" }
      yield* record("a", parts(1))
      yield* record("b", parts(2))
      yield* begin(other)
      const store = yield* CheckpointStore
      const listed = (object: Header) =>
        Effect.map(Stream.runCollect(store.listObject(object)), (all) =>
          all.map(({ header, parts }) => [header.key, header.sourceId, parts]).sort()
        )
      yield* expectEqual(yield* listed(header()), [
        [header().key, "a", 1],
        [header().key, "b", 2]
      ])
      yield* expectEqual(yield* listed(other), [[other.key, "key", 0]])
      yield* expectEqual(yield* listed({ ...other, bucket: "another" }), [])
    })
  },
  {
    name: "hands out no checkpoint whose header names another one",
    check: Effect.gen(function* () {
      yield* record("b", parts(1))
      // To refuse it is as good as never to hand it out.
      yield* Effect.exit(withLog("a", (log) => log.begin(header(2, "b"))))
      const found = yield* Effect.result(recover("a"))
      yield* expectEqual(
        Result.match(found, {
          onSuccess: Option.isNone,
          onFailure: ({ reason }) => reason._tag === "Damaged"
        }),
        true
      )
      yield* expectEqual(
        (yield* list).map(({ header }) => header),
        [header(1, "b")]
      )
      yield* expectFound("b", header(1, "b"), parts(1))
    })
  },
  {
    name: "puts a receipt in the checkpoint's place, or removes it, when the upload is finished",
    check: Effect.gen(function* () {
      yield* withLog("key", (log) =>
        Effect.gen(function* () {
          yield* log.begin(header())
          yield* Effect.forEach(parts(3), log.append, { discard: true })
          yield* log.finish(receipt())
        })
      )
      yield* expectEqual(yield* list, [])
      yield* expectNothing("key")
      const { finished } = yield* withLog("key", Effect.succeed)
      if (Option.isSome(finished)) {
        yield* expectEqual(finished.value, { header: header(), receipt: receipt() })
        yield* expectHas("key", true)
      }
      yield* expectEqual(yield* listFinished, Option.toArray(finished))
      yield* withLog("key", (log) => log.remove)
      yield* expectHas("key", false)
      yield* expectEqual(yield* listFinished, [])
    })
  },
  {
    name: "begins anew where a receipt is",
    check: Effect.gen(function* () {
      yield* record("key", parts(2))
      yield* withLog("key", (log) => log.finish(receipt()))
      yield* withLog("key", (log) =>
        Effect.gen(function* () {
          yield* log.begin(header(2))
          yield* log.append(part(3))
        })
      )
      yield* expectFound("key", header(2), [part(3)])
      yield* expectEqual(yield* listFinished, [])
    })
  },
  {
    name: "takes no part where no checkpoint is begun: that is a defect",
    check: Effect.gen(function* () {
      yield* withLog("key", (log) =>
        Effect.gen(function* () {
          yield* expectDefect(log.append(part(1)))
          yield* log.begin(header())
          yield* log.remove
          yield* expectDefect(log.append(part(2)))
        })
      )
      yield* expectNothing("key")
      yield* expectHas("key", false)
    })
  },
  {
    name: "keeps all of many parts appended at once",
    check: Effect.gen(function* () {
      const shuffled = yield* Random.shuffle(parts(500)).pipe(Random.withSeed("order"))
      yield* withLog("key", (log) =>
        Effect.andThen(
          log.begin(header()),
          Effect.forEach(shuffled, log.append, { concurrency: 50, discard: true })
        )
      )
      yield* expectFound("key", header(), parts(500))
    })
  },
  {
    name: "keeps 10,000 parts, the most that OSS takes",
    check: Effect.gen(function* () {
      yield* withLog("key", (log) =>
        Effect.andThen(
          log.begin(header()),
          Effect.forEach(parts(10_000), log.append, { concurrency: "unbounded", discard: true })
        )
      )
      yield* withLog("key", (log) => log.append(part(1)))
      yield* expectFound("key", header(), parts(10_000))
    })
  }
]
