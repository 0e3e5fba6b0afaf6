import { assert, describe, it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { Effect, Fiber, FileSystem, Logger, Option, Stream } from "effect"
import type { Scope } from "effect"
import { CheckpointStore } from "@effect-oss/core"
import {
  keyOf,
  checkpointStoreContract,
  header,
  part,
  parts,
  recover,
  refusal,
  withLog
} from "../../core/test/support/CheckpointStoreContract.ts"
import {
  breaking,
  crash,
  files,
  gate,
  layerAnywhere,
  layerHooked,
  layerIn,
  mortal,
  only,
  placeFor,
  plant,
  temporaryDirectory,
  type Hook
} from "./support/support.ts"

checkpointStoreContract("FsCheckpointStore", layerAnywhere)

const test = <E>(
  title: string,
  body: (
    directory: string
  ) => Effect.Effect<void, E, CheckpointStore.CheckpointStore | FileSystem.FileSystem | Scope.Scope>
) =>
  it.effect(title, () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.provide(body(directory), layerIn(directory))
    }).pipe(Effect.provide(NodeServices.layer))
  )

const record = (count: number) =>
  withLog("key", (log) =>
    Effect.andThen(log.begin(header()), Effect.forEach(parts(count), log.append))
  )

const some = (count: number) => Option.some({ header: header(), parts: parts(count) })

const withLists = CheckpointStore.CheckpointStore.use((store) => Stream.runCollect(store.list))

describe("a store of files", () => {
  test("leaves the directory empty once nothing is under way", (directory) =>
    Effect.gen(function* () {
      yield* withLog("key", () => Effect.void)
      assert.deepStrictEqual(yield* files(directory), [])
      yield* record(3)
      assert.match(
        (yield* files(directory)).join(),
        /^[0-9a-f]{2}.[0-9a-f]{32}\.1\.[0-9a-f-]{36}\.journal$/
      )
      yield* withLog("key", (log) => Effect.andThen(log.append(part(4)), log.remove))
      assert.deepStrictEqual(yield* files(directory), [])
    }))

  test("lets nobody but the owner look, and creates the directories above", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const below = `${directory}/a/b`
      const modes = yield* withLog("key", (log) =>
        Effect.gen(function* () {
          yield* log.begin(header())
          const names = yield* files(below)
          assert.strictEqual(names.length, 2)
          return yield* Effect.forEach([...names, "."], (name) => fs.stat(`${below}/${name}`))
        })
      ).pipe(Effect.provide(layerIn(below)))
      assert.deepStrictEqual(
        modes.map(({ mode }) => (mode & 0o777).toString(8)),
        ["600", "600", "700"]
      )
    }))

  /** The paths that are synced while a checkpoint is opened and let go. */
  const synced = Effect.fnUntraced(function* (directory: string) {
    const paths: Array<string> = []
    const hook: Hook = ({ call, path }) =>
      Effect.sync(() => void (call === "sync" && paths.push(path)))
    const store = layerHooked(directory, hook)
    yield* Effect.provide(
      withLog("key", () => Effect.void),
      store
    )
    return paths
  })

  test("makes durable what it recovers, which a process may have died before", (directory) =>
    Effect.gen(function* () {
      yield* record(2)
      const journal = yield* only(directory, ".journal")
      assert.includeMembers(yield* synced(directory), [journal, directory])
    }))

  test("makes a directory durable that somebody else has created", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const below = `${directory}/a`
      yield* fs.makeDirectory(below)
      assert.include(yield* synced(below), directory)
    }))

  test("keeps to the directory that its path meant when it was built", (directory) =>
    Effect.gen(function* () {
      const { relative } = yield* Effect.promise(() => import("node:path"))
      yield* record(2)
      const same = layerIn(relative(process.cwd(), directory))
      assert.deepStrictEqual(yield* Effect.provide(recover("key"), same), some(2))
    }))

  test("drops a torn record at the end, and writes on behind the last whole one", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      yield* record(3)
      const journal = yield* only(directory, ".journal")
      const text = yield* fs.readFileString(journal)
      yield* fs.writeFileString(journal, text.slice(0, -20))
      assert.deepStrictEqual(yield* recover("key"), some(2))
      yield* withLog("key", (log) => log.append(part(3)))
      assert.deepStrictEqual(yield* recover("key"), some(3))
    }))

  test("names a damaged file and the remedy, and leaves it as it is", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      yield* record(3)
      const journal = yield* only(directory, ".journal")
      const text = yield* fs.readFileString(journal)
      for (const damage of ["", "something else\n", text.replace('"number":1', '"number":9')]) {
        yield* fs.writeFileString(journal, damage)
        const error = yield* refusal(recover("key"))
        assert.strictEqual(error.reason._tag, "Damaged")
        assert.strictEqual(error.location, journal)
        assert.include(error.message, "delete it")
        assert.strictEqual(yield* fs.readFileString(journal), damage)
        assert.strictEqual((yield* files(directory)).length, 1)
      }
      yield* fs.remove(journal)
      assert.isTrue(Option.isNone(yield* recover("key")))
    }))

  test("replaces a damaged file if asked to, and removes it if there is nothing to keep", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const store = yield* CheckpointStore.CheckpointStore
      const afresh = store.open(keyOf("key"), { onUnreadable: "discard" })
      yield* record(3)
      const damage = fs.writeFileString(yield* only(directory, ".journal"), "something else\n")
      yield* damage
      yield* Effect.scoped(
        Effect.gen(function* () {
          const log = yield* afresh
          assert.isTrue(Option.isNone(log.recovered))
          assert.strictEqual(log.discarded?.reason._tag, "Damaged")
          yield* log.begin(header())
          yield* log.append(part(1))
        })
      )
      assert.deepStrictEqual(yield* recover("key"), some(1))
      assert.strictEqual((yield* files(directory)).length, 1)
      yield* fs.writeFileString(yield* only(directory, ".journal"), "")
      yield* Effect.scoped(Effect.flatMap(afresh, (log) => log.remove))
      assert.deepStrictEqual(yield* files(directory), [])
    }))

  test("takes no checkpoint for another's, whatever its file is called", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      yield* record(3)
      const journal = yield* only(directory, ".journal")
      yield* fs.copyFile(journal, journal.replace(/[0-9a-f]{32}/, "0".repeat(32)))
      const list = yield* withLists
      assert.deepStrictEqual(
        list.map(({ checkpointKey }) => checkpointKey),
        [keyOf("key")]
      )
      yield* withLog("other", (log) => log.begin(header()))
      const other = yield* Effect.map(files(directory), (names) =>
        names.find((name) => !journal.endsWith(name) && !name.startsWith("0000"))
      )
      yield* fs.copyFile(journal, `${directory}/${other}`)
      const store = yield* CheckpointStore.CheckpointStore
      for (const onUnreadable of ["fail", "discard"] as const) {
        const opened = Effect.scoped(store.open(keyOf("other"), { onUnreadable }))
        assert.strictEqual((yield* refusal(opened)).reason._tag, "Damaged")
      }
    }))

  test("has something to clear away where a run died early, and nothing where one is at work", (directory) =>
    Effect.gen(function* () {
      const has = CheckpointStore.CheckpointStore.use(({ has }) => has(keyOf("key")))
      for (let at = 1; at <= 12; at++) {
        const hook = breaking(at, false, crash)
        yield* Effect.exit(Effect.provide(record(0), layerHooked(directory, hook.before, mortal)))
        assert.strictEqual(yield* has, (yield* files(directory)).length > 0, `change ${at}`)
        yield* withLog("key", (log) => log.remove)
        assert.deepStrictEqual(yield* files(directory), [], `change ${at}`)
      }
      yield* withLog("key", () => Effect.map(has, assert.isFalse))
    }))

  test("lets the later one of two generations count", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      yield* record(1)
      const first = yield* only(directory, ".journal")
      const text = yield* fs.readFileString(first)
      yield* withLog("key", (log) => log.append(part(2)))
      yield* fs.writeFileString(first, text)
      assert.strictEqual((yield* files(directory)).length, 2)
      assert.deepStrictEqual(yield* recover("key"), some(2))
      assert.deepStrictEqual(
        (yield* withLists).map(({ parts }) => parts),
        [2]
      )
      yield* withLog("key", (log) => log.remove)
      assert.deepStrictEqual(yield* files(directory), [])
    }))

  test("lists nothing where there is no directory, and creates none", (directory) =>
    Effect.gen(function* () {
      const none = yield* Effect.provide(withLists, layerIn(`${directory}/none`))
      assert.deepStrictEqual(none, [])
      assert.deepStrictEqual(yield* files(directory), [])
    }))

  test("leaves what it can't read out of the list, with a warning", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const warnings: Array<unknown> = []
      const logger = Logger.layer([Logger.make(({ message }) => void warnings.push(message))])
      yield* record(2)
      yield* plant(directory, `${"0".repeat(32)}.1.${"0".repeat(36)}.journal`, "?")
      yield* fs.writeFileString(`${directory}/README`, "not a checkpoint")
      yield* plant(directory, "00-README", "not a checkpoint either")
      yield* fs.makeDirectory(
        yield* placeFor(directory, `${"1".repeat(32)}.1.${"0".repeat(36)}.journal`)
      )
      const list = yield* Effect.provide(withLists, logger)
      assert.deepStrictEqual(
        list.map(({ parts }) => parts),
        [2]
      )
      assert.strictEqual(warnings.length, 2)
      assert.include(String(warnings), "not a usable checkpoint")
    }))

  test("is unavailable where its directory can't be one", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(`${directory}/file`, "")
      for (const path of [`${directory}/file`, `${directory}/file/below`, "/proc/none/here"]) {
        const layer = layerIn(path)
        const error = yield* refusal(Effect.provide(recover("key"), layer))
        assert.strictEqual(error.reason._tag, "Unavailable", path)
        assert.include(error.message, path)
      }
      const error = yield* refusal(Effect.provide(withLists, layerIn(`${directory}/file`)))
      assert.strictEqual(error.reason._tag, "Unavailable")
    }))

  it.effect("writes appends that come at once with one sync", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      let syncs = 0
      const count = layerHooked(directory, ({ call, path }) =>
        Effect.sync(() => {
          if (call === "sync" && path.includes(".journal")) syncs++
        })
      )
      yield* withLog("key", (log) =>
        Effect.andThen(
          log.begin(header()),
          Effect.forEach(parts(100), log.append, { concurrency: "unbounded" })
        )
      ).pipe(Effect.provide(count))
      assert.isAtMost(syncs, 3)
      assert.deepStrictEqual(yield* Effect.provide(recover("key"), layerIn(directory)), some(100))
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect(
    "records a part by one write, one sync and one look at the lease, whatever the number of parts",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const fs = yield* FileSystem.FileSystem
        let calls: Array<string> = []
        const hook: Hook = ({ call }) => Effect.sync(() => void calls.push(call))
        yield* withLog("key", (log) =>
          Effect.gen(function* () {
            yield* log.begin(header())
            const journal = yield* only(directory, ".journal")
            const cost = Effect.fnUntraced(function* (number: number) {
              const before = (yield* fs.stat(journal)).size
              calls = []
              yield* log.append(part(number))
              return { calls: [...calls], bytes: Number((yield* fs.stat(journal)).size - before) }
            })
            const first = yield* cost(1_000)
            yield* Effect.forEach(parts(999), log.append, { concurrency: "unbounded" })
            yield* Effect.forEach(parts(4_000).slice(1_001), log.append, {
              concurrency: "unbounded"
            })
            const last = yield* cost(1_001)
            // A write is cut in two by the hook.
            assert.deepStrictEqual(first.calls, ["write", "write", "sync", "read"])
            assert.deepStrictEqual(last.calls, first.calls)
            assert.closeTo(last.bytes, first.bytes, 10)
          })
        ).pipe(Effect.provide(layerHooked(directory, hook)))
      }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("records what was begun, and what waits with it, when an append is interrupted", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      let writes = 0
      const half = gate(({ call }) => call === "write" && ++writes === 4)
      yield* withLog("key", (log) =>
        Effect.gen(function* () {
          yield* log.begin(header())
          const first = yield* Effect.forkChild(log.append(part(1)))
          yield* half.reached
          const second = yield* Effect.forkChild(log.append(part(2)), { startImmediately: true })
          const third = yield* Effect.forkChild(log.append(part(3)), { startImmediately: true })
          const interrupting = yield* Effect.forkChild(Fiber.interruptAll([first, second]), {
            startImmediately: true
          })
          yield* half.open
          yield* Fiber.join(third)
          yield* Fiber.join(interrupting)
        })
      ).pipe(Effect.provide(layerHooked(directory, half.hook)))
      assert.deepStrictEqual(yield* Effect.provide(recover("key"), layerIn(directory)), some(3))
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("finishes a beginning that was begun when it is interrupted", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const half = gate(({ call }) => call === "write")
      yield* withLog("key", (log) =>
        Effect.gen(function* () {
          const beginning = yield* Effect.forkChild(log.begin(header()))
          yield* half.reached
          const interrupting = yield* Effect.forkChild(Fiber.interrupt(beginning), {
            startImmediately: true
          })
          yield* half.open
          yield* Fiber.join(interrupting)
        })
      ).pipe(Effect.provide(layerHooked(directory, half.hook)))
      assert.deepStrictEqual(yield* Effect.provide(recover("key"), layerIn(directory)), some(0))
    }).pipe(Effect.provide(NodeServices.layer))
  )

  test("has no file open once the scope is closed", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const open = Effect.gen(function* () {
        const numbers = yield* fs.readDirectory("/proc/self/fd")
        const paths = yield* Effect.forEach(numbers, (number) =>
          Effect.option(fs.readLink(`/proc/self/fd/${number}`))
        )
        return paths.filter((path) => Option.isSome(path) && path.value.startsWith(directory))
          .length
      })
      const inside = yield* withLog("key", (log) =>
        Effect.gen(function* () {
          yield* log.begin(header(1))
          yield* log.begin(header(2))
          yield* log.append(part(1))
          return yield* open
        })
      )
      assert.deepStrictEqual([inside, yield* open], [1, 0])
    }))
})
