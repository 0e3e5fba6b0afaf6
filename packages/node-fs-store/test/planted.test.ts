/** Files and directories that somebody else may have put there: never believed, never waited for. */
import { assert, describe, it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Logger, Option, Stream } from "effect"
import type { Scope } from "effect"
import { Checkpoint, CheckpointStore } from "@effect-oss/core"
import { FsCheckpointStore } from "@effect-oss/node-fs-store"
import { spawnSync } from "node:child_process"
import {
  header,
  keyOf,
  parts,
  recover,
  refusal,
  withLog
} from "../../core/test/support/CheckpointStoreContract.ts"
import * as Journal from "../src/internal/journal.ts"
import { hashOf } from "../src/internal/place.ts"
import {
  layerHooked,
  layerIn,
  only,
  placeFor,
  plant,
  temporaryDirectory
} from "./support/support.ts"

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

const record = withLog("key", (log) =>
  Effect.andThen(log.begin(header()), Effect.forEach(parts(2), log.append))
)
const some = Option.some({ header: header(), parts: parts(2) })

const list = CheckpointStore.CheckpointStore.use((store) => Stream.runCollect(store.list))

/** What is listed, and how often it was warned. */
const listWarned = Effect.gen(function* () {
  let warnings = 0
  const logger = Logger.make(() => void warnings++)
  const listed = yield* Effect.provide(list, Logger.layer([logger]))
  return { listed: listed.length, warnings }
})

const token = "00000000-0000-4000-8000-000000000000"
const journalName = `${hashOf(keyOf("key"))}.7.${token}.journal`

describe("a directory of checkpoints", () => {
  for (const mode of [0o770, 0o702, 0o1777, 0o722]) {
    test(`of mode ${mode.toString(8)} is refused, unless that is allowed`, (directory) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* record
        yield* fs.chmod(directory, mode)
        for (const use of [Effect.asVoid(recover("key")), Effect.asVoid(list)]) {
          const error = yield* refusal(Effect.provide(use, layerIn(directory)))
          assert.strictEqual(error.reason._tag, "Untrusted")
          assert.include(error.message, `${directory}: not trusted: others may write to it`)
        }
        const allowing = FsCheckpointStore.layer({ directory, allowShared: true })
        assert.deepStrictEqual(yield* Effect.provide(recover("key"), allowing), some)
      }).pipe(Effect.provide(NodeServices.layer)))
  }

  test("of another user is refused", (directory) =>
    Effect.gen(function* () {
      yield* record
      const other = layerHooked(directory, () => Effect.void, { user: 4711 })
      // What belongs to root is nobody else's.
      const isRoot = process.geteuid?.() === 0
      const read = Effect.result(Effect.provide(recover("key"), other))
      if (isRoot) yield* FileSystem.FileSystem.use((fs) => fs.chown(directory, 1234, 1234))
      const result = yield* read
      assert.strictEqual(
        result._tag === "Failure" ? result.failure.reason._tag : result._tag,
        "Untrusted"
      )
    }))
})

describe("a file that was planted", () => {
  for (const mode of [0o620, 0o602]) {
    test(`of mode ${mode.toString(8)} is not believed`, (directory) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* record
        yield* fs.chmod(yield* only(directory, ".journal"), mode)
        const error = yield* refusal(recover("key"))
        assert.strictEqual(error.reason._tag, "Untrusted")
        assert.include(error.message, ".journal: not trusted")
        assert.deepStrictEqual(yield* listWarned, { listed: 0, warnings: 1 })
      }))
  }

  test("is not replaced either where what can't be read may be", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      yield* record
      const journal = yield* only(directory, ".journal")
      const text = yield* fs.readFileString(journal)
      yield* fs.chmod(journal, 0o620)
      const store = yield* CheckpointStore.CheckpointStore
      const afresh = store.open(keyOf("key"), { onUnreadable: "discard" })
      assert.strictEqual((yield* refusal(Effect.scoped(afresh))).reason._tag, "Untrusted")
      assert.strictEqual(yield* fs.readFileString(journal), text)
    }))

  for (const name of [`${hashOf(keyOf("key"))}.lease`, journalName]) {
    const kind = name.split(".").at(-1)
    test(`as a named pipe in place of a ${kind} is refused at once`, (directory) =>
      Effect.gen(function* () {
        yield* record
        const path = yield* placeFor(directory, name)
        spawnSync("mkfifo", ["-m", "600", path])
        const error = yield* refusal(recover("key"))
        assert.strictEqual(error.reason._tag, "Untrusted")
        assert.include(error.message, "it is not a regular file")
        const warnings = kind === "lease" ? 0 : 1
        assert.deepStrictEqual(yield* listWarned, { listed: 1 - warnings, warnings })
      }))

    test(`as a link in place of a ${kind} is not followed`, (directory) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* record
        yield* fs.symlink("/etc/passwd", yield* placeFor(directory, name))
        assert.strictEqual((yield* refusal(recover("key"))).reason._tag, "Untrusted")
      }))
  }

  const good = Journal.begin(
    {
      id: token,
      origin: { host: "", boot: "", machine: "", inode: "" },
      checkpointKey: keyOf("key")
    },
    { header: header(), parts: [] }
  ).text

  test("with 300 MB behind a good header is damaged, and takes no memory", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* plant(directory, journalName, good)
      yield* fs.truncate(path, 300_000_000)
      const before = process.memoryUsage().arrayBuffers
      const error = yield* refusal(recover("key"))
      assert.strictEqual(error.reason._tag, "Damaged")
      assert.include(error.message, "it has more than")
      assert.deepStrictEqual(yield* listWarned, { listed: 0, warnings: 1 })
      assert.isBelow(process.memoryUsage().arrayBuffers - before, 150_000_000)
    }))

  test("with millions of empty lines behind a good header is damaged", (directory) =>
    Effect.gen(function* () {
      yield* plant(directory, journalName, good + "\n".repeat(20_000_000))
      const error = yield* refusal(recover("key"))
      assert.strictEqual(error.reason._tag, "Damaged")
      assert.include(error.message, "it has more than 100000 records")
    }))

  test("whose header names another upload is neither listed nor opened", (directory) =>
    Effect.gen(function* () {
      const victim = header(1, "victim")
      const { text } = Journal.begin(
        {
          id: token,
          origin: { host: "", boot: "", machine: "", inode: "" },
          checkpointKey: keyOf("key")
        },
        { header: victim, parts: [] }
      )
      yield* plant(directory, journalName, text)
      assert.deepStrictEqual(yield* listWarned, { listed: 0, warnings: 1 })
      const error = yield* refusal(recover("key"))
      assert.strictEqual(error.reason._tag, "Damaged")
      assert.isTrue(Option.isNone(yield* recover("victim")))
      assert.notStrictEqual(Checkpoint.keyOf(victim), keyOf("key"))
    }))
})
