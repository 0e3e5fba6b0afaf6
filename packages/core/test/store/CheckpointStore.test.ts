import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore } from "@effect-oss/core"
import * as KeyValueCheckpointStore from "@effect-oss/core/KeyValueCheckpointStore"
import { Effect, Layer, Logger, Option, Result, Stream } from "effect"
import { KeyValueStore } from "effect/persistence"
import * as NodeSqlite from "@effect-oss/sql-store/NodeSqlite"
import {
  keyOf,
  checkpointStoreContract,
  header,
  part,
  parts,
  recover,
  refusal,
  withLog
} from "../support/CheckpointStoreContract.ts"

const over = <E>(entries: Layer.Layer<KeyValueStore.KeyValueStore, E>) =>
  Layer.provide(KeyValueCheckpointStore.layer(), entries)

const sqlite = Layer.provide(KeyValueStore.layerSql(), NodeSqlite.layer({ file: ":memory:" }))

/** What a browser calls `localStorage`, with room for so many characters. */
const webStorage = (room = Number.POSITIVE_INFINITY): Storage => {
  const items = new Map<string, string>()
  let used = 0
  return {
    get length() {
      return items.size
    },
    key: (index) => Array.from(items.keys())[index] ?? null,
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => {
      const more = value.length - (items.get(name)?.length ?? -name.length)
      if (used + more > room) throw new Error("QuotaExceededError")
      used += more
      items.set(name, value)
    },
    removeItem: (name) => {
      used -= name.length + (items.get(name)?.length ?? -name.length)
      items.delete(name)
    },
    clear: () => items.clear()
  }
}

checkpointStoreContract("layerMemory", CheckpointStore.layerMemory)
checkpointStoreContract("layerKeyValueStore in memory", over(KeyValueStore.layerMemory))
checkpointStoreContract("layerKeyValueStore in SQLite", over(sqlite))
checkpointStoreContract(
  "layerKeyValueStore in web storage",
  over(KeyValueStore.layerStorage(() => webStorage()))
)

/** The process dies, or the database goes away, right before the change with this number, and for good. */
const breakingAt = (at: number) => {
  let changes = 0
  const entries = new Map<string, string>()
  const change = (apply: () => void) =>
    Effect.suspend(() => {
      if (++changes >= at) {
        const message = "no connection"
        return Effect.fail(new KeyValueStore.KeyValueStoreError({ method: "set", message }))
      }
      return Effect.sync(apply)
    })
  const make = (changing: typeof change) =>
    KeyValueStore.makeStringOnly({
      get: (key) => Effect.sync(() => entries.get(key)),
      set: (key, value) => changing(() => entries.set(key, value)),
      remove: (key) => changing(() => entries.delete(key)),
      clear: changing(() => entries.clear()),
      size: Effect.sync(() => entries.size),
      keys: Effect.sync(() => Array.from(entries.keys()))
    })
  return {
    entries,
    changes: () => changes,
    broken: over(Layer.sync(KeyValueStore.KeyValueStore, () => make(change))),
    sound: over(Layer.sync(KeyValueStore.KeyValueStore, () => make(Effect.sync)))
  }
}

const some = (createdAt: number, ...numbers: ReadonlyArray<number>) =>
  Option.some({ header: header(createdAt), parts: numbers.map(part) })

describe("a store of entries", () => {
  it.effect("has what was acknowledged, before whichever change the process died", () =>
    Effect.gen(function* () {
      const states = [
        Option.none(),
        some(1),
        some(1, 1),
        some(1, 1, 2),
        some(2),
        some(2, 3),
        Option.none()
      ]
      for (let at = 1, done = false; !done; at++) {
        const { broken, sound, changes, entries } = breakingAt(at)
        let acknowledged = 0
        yield* withLog("key", (log) =>
          Effect.forEach(
            [
              log.begin(header(1)),
              log.append(part(1)),
              log.append(part(2)),
              log.begin(header(2)),
              log.append(part(3)),
              log.remove
            ],
            Effect.tap(() => Effect.sync(() => acknowledged++))
          )
        ).pipe(Effect.provide(broken), Effect.exit)
        done = changes() < at
        const recovered = yield* Effect.provide(recover("key"), sound)
        // What was acknowledged, or what was being written.
        const allowed = states.slice(acknowledged, acknowledged + 2)
        assert.deepInclude(allowed, recovered, `died before change ${at}`)
        yield* Effect.provide(
          withLog("key", (log) => log.remove),
          sound
        )
        assert.deepStrictEqual([...entries.keys()], [], `died before change ${at}`)
      }
    })
  )

  it.effect("writes one entry for a part, whatever the number of parts", () =>
    Effect.gen(function* () {
      const { sound, broken, entries, changes } = breakingAt(Number.POSITIVE_INFINITY)
      yield* withLog("key", (log) =>
        Effect.gen(function* () {
          yield* log.begin(header())
          yield* Effect.forEach(parts(1_000), log.append)
          const before = changes()
          yield* log.append(part(1_001))
          assert.strictEqual(changes() - before, 1)
        })
      ).pipe(Effect.provide(broken))
      assert.strictEqual(entries.size, 1_002)
      yield* Effect.provide(
        withLog("key", (log) => log.remove),
        sound
      )
      assert.strictEqual(entries.size, 0)
    })
  )

  it.effect("leaves other entries alone, and other prefixes too", () =>
    Effect.gen(function* () {
      const entries = yield* KeyValueStore.KeyValueStore
      yield* entries.set("settings", "mine")
      const other = KeyValueCheckpointStore.layer({ prefix: "other/" })
      yield* Effect.provide(
        withLog("key", (log) => log.begin(header(7))),
        other
      )
      const store = KeyValueCheckpointStore.layer()
      const listed = CheckpointStore.CheckpointStore.use(({ list }) => Stream.runCollect(list))
      yield* withLog("key", (log) =>
        Effect.gen(function* () {
          assert.isTrue(Option.isNone(log.recovered))
          yield* log.begin(header(1))
          assert.strictEqual((yield* listed).length, 1)
          yield* log.remove
        })
      ).pipe(Effect.provide(store))
      assert.strictEqual(yield* entries.get("settings"), "mine")
      assert.deepStrictEqual(yield* Effect.provide(recover("key"), other), some(7))
    }).pipe(Effect.provide(KeyValueStore.layerMemory))
  )

  it.effect("excludes others of the same process that use the same entries", () =>
    Effect.gen(function* () {
      const first = KeyValueCheckpointStore.layer()
      const second = KeyValueCheckpointStore.layer()
      const busy = withLog("key", () => Effect.provide(refusal(recover("key")), second))
      assert.strictEqual((yield* Effect.provide(busy, first)).reason._tag, "Busy")
    }).pipe(Effect.provide(KeyValueStore.layerMemory))
  )

  /** Records three parts, edits an entry, and says what the next holder and the list find. */
  const edited = (edit: (name: string, text: string) => string) =>
    Effect.gen(function* () {
      const { entries, sound } = breakingAt(0)
      const seen = Effect.all([
        Effect.result(recover("key")),
        CheckpointStore.CheckpointStore.use(({ list }) => Stream.runCollect(list))
      ])
      yield* Effect.provide(
        withLog("key", (log) =>
          Effect.andThen(log.begin(header()), Effect.forEach(parts(3), log.append))
        ),
        sound
      )
      for (const [name, text] of entries) entries.set(name, edit(name, text))
      return yield* Effect.provide(seen, [sound, Logger.layer([])])
    })
  const isRoot = (name: string) => name.split("/").length === 2

  it.effect("takes an entry that can't be read for an error that names it, and lists it not", () =>
    Effect.gen(function* () {
      const [found, listed] = yield* edited((name, text) =>
        isRoot(name) ? text.slice(0, 40) : text
      )
      assert.isTrue(Result.isFailure(found) && found.failure.reason._tag === "Damaged")
      assert.match(
        Result.isFailure(found) ? found.failure.message : "",
        /^effect-oss\/[0-9a-f]{32}: /
      )
      assert.deepStrictEqual(listed, [])
    })
  )

  it.effect("replaces an entry that can't be read if asked to, with all that hangs on it", () =>
    Effect.gen(function* () {
      const entries = yield* KeyValueStore.KeyValueStore
      const store = KeyValueCheckpointStore.layer({ prefix: "p/" })
      const afresh = CheckpointStore.CheckpointStore.use(({ open }) =>
        open(keyOf("key"), { onUnreadable: "discard" })
      )
      const damage = Effect.flatMap(entries.keys, (names) =>
        entries.set(
          names.find((name) => name.split("/").length === 2)!,
          "{"
        )
      )
      const record = (log: CheckpointStore.CheckpointLog) =>
        Effect.andThen(log.begin(header()), Effect.forEach(parts(3), log.append))
      yield* Effect.provide(
        Effect.gen(function* () {
          yield* withLog("key", record)
          yield* damage
          yield* Effect.scoped(
            Effect.gen(function* () {
              const log = yield* afresh
              assert.isTrue(Option.isNone(log.recovered))
              assert.strictEqual(log.discarded?.reason._tag, "Damaged")
              yield* log.begin(header(1))
              yield* log.append(part(2))
            })
          )
          assert.deepStrictEqual(yield* recover("key"), some(1, 2))
          assert.strictEqual(yield* entries.size, 2)
          yield* damage
          yield* Effect.scoped(Effect.flatMap(afresh, (log) => log.remove))
          assert.isTrue(yield* entries.isEmpty)
        }),
        store
      )
    }).pipe(Effect.provide(KeyValueStore.layerMemory))
  )

  it.effect("is damaged, or drops a part, wherever one bit of an entry is flipped", () =>
    Effect.gen(function* () {
      const { entries, sound } = breakingAt(0)
      const record = withLog("key", (log) =>
        Effect.andThen(log.begin(header()), Effect.forEach(parts(3), log.append))
      )
      yield* Effect.provide(record, sound)
      for (const [name, text] of entries) {
        const number = Number(name.split("/")[3])
        const rest = [1, 2, 3].filter((part) => part !== number)
        for (let at = 0; at < text.length; at++) {
          const flipped = String.fromCharCode(text.charCodeAt(at) ^ (1 << (at % 7)))
          entries.set(name, text.slice(0, at) + flipped + text.slice(at + 1))
          const found = yield* Effect.result(Effect.provide(recover("key"), sound))
          if (isRoot(name)) {
            const tag = Result.isFailure(found) ? found.failure.reason._tag : "none"
            assert.include(["Damaged", "UnknownVersion"], tag, `${at} of the header`)
          } else {
            assert.deepStrictEqual(found, Result.succeed(some(1, ...rest)), `${at} of ${number}`)
          }
        }
        entries.set(name, text)
      }
    })
  )

  it.effect("does not touch what a newer version wrote", () =>
    Effect.gen(function* () {
      const [found] = yield* edited((name, text) =>
        isRoot(name) ? text.replace('"version":1', '"version":2') : text
      )
      assert.isTrue(Result.isFailure(found) && found.failure.reason._tag === "UnknownVersion")
    })
  )

  it.effect("drops a part that was written in half", () =>
    Effect.gen(function* () {
      const [found, listed] = yield* edited((name, text) =>
        name.endsWith("/2") ? text.slice(0, 20) : text
      )
      assert.deepStrictEqual(found, Result.succeed(some(1, 1, 3)))
      assert.strictEqual(listed[0]?.parts, 2)
    })
  )

  it.effect("that is full says so, and keeps what it has", () =>
    Effect.gen(function* () {
      const storage = webStorage(2_000)
      const layer = over(KeyValueStore.layerStorage(() => storage))
      const results = yield* withLog("key", (log) =>
        Effect.andThen(
          log.begin(header()),
          Effect.forEach(parts(20), (part) => Effect.result(log.append(part)))
        )
      ).pipe(Effect.provide(layer))
      const failed = results.filter(Result.isFailure)
      assert.isAbove(failed.length, 0)
      for (const { failure } of failed) {
        assert.strictEqual(failure.reason._tag, "Unavailable")
        assert.match(failure.message, /QuotaExceeded/)
      }
      const kept = parts(20 - failed.length).map(({ number }) => number)
      assert.isAbove(kept.length, 0)
      assert.deepStrictEqual(yield* Effect.provide(recover("key"), layer), some(1, ...kept))
    })
  )
})
