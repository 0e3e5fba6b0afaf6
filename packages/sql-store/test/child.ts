/**
 * A process that uses a store: `child.ts MODE DATABASE PREFIX`. It prints a line
 * after each step.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { CheckpointStore } from "@effect-oss/core/CheckpointStore"
import { header, keyOf, part } from "../../core/src/testing/fixtures.ts"
import * as Upload from "@effect-oss/core/Upload"
import * as NodeSqlite from "@effect-oss/sql-store/NodeSqlite"
import * as SqlCheckpointStore from "@effect-oss/sql-store/SqlCheckpointStore"
import { createInterface } from "node:readline"
import { client, request } from "./records.ts"

const [mode = "", database = "", prefix = ""] = process.argv.slice(2)
const print = (text: string) => Effect.sync(() => process.stdout.write(`${text}\n`))

/** Records parts up to number 9000, four at a time. */
const append = Effect.gen(function* () {
  const log = yield* CheckpointStore.use((store) => store.open(keyOf("key")))
  if (Option.isNone(log.recovered)) yield* log.begin(header())
  const found = Option.match(log.recovered, { onNone: () => 0, onSome: (c) => c.parts.length })
  const numbers = Array.from({ length: 9000 - found }, (_, index) => found + index + 1)
  yield* Effect.forEach(
    numbers,
    (number) => Effect.andThen(log.append(part(number)), print(`appended ${number}`)),
    { concurrency: 4 }
  )
}).pipe(Effect.scoped)

/** Begins in a loop. The ETags of the parts name the round. */
const begin = Effect.gen(function* () {
  const log = yield* CheckpointStore.use((store) => store.open(keyOf("key")))
  for (let time = 1; ; time++) {
    yield* log.begin(header(time))
    yield* log.append({ ...part(1), etag: `"${time}"` })
    yield* log.append({ ...part(2), etag: `"${time}"` })
    yield* print(`begun ${time}`)
  }
}).pipe(Effect.scoped)

/** Tries to open the checkpoint for each line `open`, and closes it for each line `close`. */
const race = Effect.gen(function* () {
  const store = yield* CheckpointStore
  yield* print("ready")
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  let scope = yield* Scope.make()
  for (;;) {
    const { value: word } = yield* Effect.promise(() => lines.next())
    if (word === "open") {
      const opened = yield* Effect.result(Scope.provide(store.open(keyOf("key")), scope))
      yield* print(opened._tag === "Success" ? "held" : opened.failure.reason._tag)
    } else if (word === "close") {
      yield* Scope.close(scope, Exit.void)
      scope = yield* Scope.make()
      yield* print("closed")
    } else {
      return
    }
  }
})

/** The same upload as the test's. */
const upload = Upload.upload(request).pipe(
  Effect.provide(
    Layer.provide(client(process.env["OSS_ENDPOINT"] ?? ""), NodeHttpClient.layerNodeHttp)
  )
)

const modes: Record<string, Effect.Effect<unknown, unknown, CheckpointStore>> = {
  append,
  begin,
  race,
  upload
}

await Effect.runPromise(
  (modes[mode] ?? Effect.die(new Error(`no mode ${mode}`))).pipe(
    Effect.provide(
      SqlCheckpointStore.layer({ prefix }).pipe(
        Layer.provide(
          database.startsWith("postgres:")
            ? PgClient.layer({ url: Redacted.make(database) })
            : NodeSqlite.layer({ file: database })
        )
      )
    )
  )
)
