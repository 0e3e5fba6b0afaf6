/** Real processes that are killed, on real databases. */
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import type { Scope } from "effect"
import { SqlClient } from "effect/sql"
import { CheckpointStore, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { SqlCheckpointStore } from "@effect-oss/sql-store"
import * as NodeSqlite from "@effect-oss/sql-store/NodeSqlite"
import { fileURLToPath } from "node:url"
import { part, recover, refusal } from "../../core/test/support/CheckpointStoreContract.ts"
import { Child } from "../../core/test/support/Child.ts"
import { Postgres } from "./postgres.ts"
import { bucket, client, content, key, keys, request } from "./records.ts"
import { newPrefix, postgres, sqliteFile, tablesOf } from "./support.ts"

const script = fileURLToPath(new URL("child.ts", import.meta.url))

const childOf = (
  mode: string,
  database: string,
  prefix: string,
  env: Record<string, string> = {}
) =>
  new Child(process.execPath, [script, mode, database, prefix], { NODE_NO_WARNINGS: "1", ...env })

/** A database, and a function to start a process that uses it. */
interface Place {
  readonly prefix: string
  readonly start: (mode: string) => Effect.Effect<Child, never, Scope.Scope>
}

const places = {
  "SQLite in a file": Effect.map(sqliteFile, (file) => ({
    database: file,
    layer: NodeSqlite.layer({ file })
  })),
  PostgreSQL: Effect.map(Postgres, ({ url }) => ({ database: url, layer: postgres }))
}

layer(Postgres.layer, { excludeTestServices: true, timeout: "1 minute" })(
  "a SQL checkpoint store used by several processes",
  (it) => {
    describe.each(["SQLite in a file", "PostgreSQL"] as const)("in %s", (name) => {
      const test = <A, E>(
        title: string,
        body: (
          place: Place
        ) => Effect.Effect<
          A,
          E,
          CheckpointStore.CheckpointStore | SqlClient.SqlClient | Scope.Scope
        >
      ) =>
        it.effect(title, () =>
          Effect.gen(function* () {
            const prefix = newPrefix()
            const { database, layer } = yield* places[name]
            const start: Place["start"] = (mode) =>
              Effect.acquireRelease(
                Effect.sync(() => childOf(mode, database, prefix)),
                (child) => child.kill
              )
            yield* Effect.provide(
              body({ prefix, start }),
              Layer.provideMerge(SqlCheckpointStore.layer({ prefix }), layer)
            )
          }).pipe(Effect.scoped)
        )

      test("has every part that a killed process reported as recorded", ({ prefix, start }) =>
        Effect.gen(function* () {
          const reported = new Set<number>()
          for (const life of [3, 150]) {
            const child = yield* start("append")
            yield* child.said(life)
            const { reason } = yield* refusal(recover("key"))
            assert.include(
              (reason as CheckpointStore.Busy).holder,
              `process ${child.process.pid} on`
            )
            yield* child.kill
            for (const line of child.lines) reported.add(Number(line.split(" ")[1]))
            yield* (yield* tablesOf(prefix)).expire
            const { parts } = Option.getOrThrow(yield* recover("key"))
            const recovered = new Set(parts.map(({ number }) => number))
            assert.deepStrictEqual(
              [...reported].filter((number) => !recovered.has(number)),
              []
            )
            assert.deepStrictEqual(
              parts,
              parts.map(({ number }) => part(number))
            )
          }
          assert.isAtLeast(reported.size, 153)
        }))

      test("has a header with only its own parts after its process is killed", ({
        prefix,
        start
      }) =>
        Effect.gen(function* () {
          const child = yield* start("begin")
          yield* child.said(50)
          yield* child.kill
          yield* (yield* tablesOf(prefix)).expire
          const { header, parts } = Option.getOrThrow(yield* recover("key"))
          assert.isAtLeast(header.createdAt, 50)
          for (const { etag } of parts) assert.strictEqual(etag, `"${header.createdAt}"`)
        }))

      test("has one holder when two processes open it at once, in 100 rounds", ({
        prefix,
        start
      }) =>
        Effect.gen(function* () {
          const children = yield* Effect.forEach([1, 2], () => start("race"))
          yield* Effect.forEach(children, (child) => child.said(1))
          const both = (word: string, count: number) =>
            Effect.andThen(
              Effect.forEach(children, (child) => child.tell(word)),
              Effect.forEach(children, (child) =>
                Effect.map(child.said(count), (lines) => lines[count - 1])
              )
            )
          for (let round = 0; round < 100; round++) {
            const words = yield* both("open", 2 + 2 * round)
            assert.deepStrictEqual(words.toSorted(), ["Busy", "held"])
            yield* both("close", 3 + 2 * round)
          }
          assert.deepStrictEqual(yield* (yield* tablesOf(prefix)).rows, [[], []])
        }))
    })

    it.effect("resumes after the process of an upload is killed", () =>
      Effect.gen(function* () {
        const prefix = newPrefix()
        const { url } = yield* Postgres
        const emulator = yield* OssEmulator.OssEmulator
        yield* emulator.inject(
          Fault.stall({ operation: "uploadPart", partNumber: 4, at: "before" })
        )
        const sent = Effect.map(emulator.log, (log) =>
          log.flatMap(({ operation, partNumber }) =>
            operation === "uploadPart" ? [partNumber] : []
          )
        )
        const child = childOf("upload", url, prefix, { OSS_ENDPOINT: emulator.url })
        yield* Effect.addFinalizer(() => child.kill)
        yield* Effect.repeat(Effect.tap(sent, Effect.sleep("5 millis")), {
          until: (numbers) => numbers.includes(4)
        })
        yield* child.kill

        const before = (yield* sent).length
        const carryOn = Upload.upload(request).pipe(Effect.provide(layerUpload(prefix)))
        const error = yield* refusal(carryOn)
        assert.strictEqual(error._tag === "CheckpointError" && error.reason._tag, "Busy")
        const { expire, rows } = yield* tablesOf(prefix)
        yield* expire
        yield* carryOn
        assert.deepStrictEqual((yield* sent).slice(before), [4, 5])
        const object = Option.getOrThrow(yield* emulator.object(bucket, key))
        assert.deepStrictEqual(yield* object.bytes, content)
        assert.deepStrictEqual(yield* rows, [[], []])
      }).pipe(Effect.scoped, Effect.provide([OssEmulator.layer({ credentials: [keys] }), postgres]))
    )
  }
)

const layerUpload = (prefix: string) =>
  Layer.merge(
    Layer.provide(
      Layer.unwrap(Effect.map(OssEmulator.OssEmulator, ({ url }) => client(url))),
      NodeHttpClient.layerNodeHttp
    ),
    SqlCheckpointStore.layer({ prefix })
  )
