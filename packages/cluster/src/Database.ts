/**
 * The cluster's database, by its URL: PostgreSQL for any number of runners, or
 * a file of Node's own SQLite for one runner.
 *
 * @since 0.1.0
 */
import { dirname } from "node:path"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { connecting } from "./internal/outlasting.ts"

/**
 * A database of a cluster.
 *
 * @category models
 * @since 0.1.0
 */
export interface Database {
  /** True if several runners can use it: take `NodeCluster.layer`, otherwise `NodeCluster.layerSingle`. */
  readonly isServer: boolean
  /** Connects. Waits up to a minute for a PostgreSQL server that is unreachable, for example while it restarts, and logs that. Then it fails. */
  readonly layer: Layer.Layer<SqlClient, SqlError | InvalidRequest>
  /** A lock for the runner to hold. Fails if the database allows only one runner and another process holds the lock. */
  readonly lock: Layer.Layer<never, InvalidRequest>
}

/**
 * The database of a URL: `postgres://…` or `postgresql://…`, otherwise the path
 * of a file, which is created if it doesn't exist. Opens nothing yet.
 *
 * **Example** (a file)
 *
 * ```ts
 * import { Database, NodeCluster, UploadRunner } from "@effect-oss/cluster"
 * import { Layer, Redacted } from "effect"
 *
 * const database = Database.of(Redacted.make("/var/lib/uploads/cluster.sqlite"))
 *
 * export const runner = UploadRunner.layer({ roots: ["/shared"] }).pipe(
 *   Layer.provide(NodeCluster.layerSingle),
 *   Layer.provide([database.layer, database.lock])
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (url: Redacted.Redacted): Database => {
  const text = Redacted.value(url)
  if (/^postgres(ql)?:/.test(text)) {
    return { isServer: true, layer: layerPostgres(url), lock: Layer.empty }
  }
  const [, scheme] = /^(\w+):\/\//.exec(text) ?? []
  return scheme === undefined
    ? { isServer: false, layer: layerFile(text), lock: lockOf(text) }
    : { isServer: false, layer: unknown(scheme), lock: Layer.empty }
}

const unknown = (scheme: string): Database["layer"] =>
  Layer.effectContext(unusable(`${scheme}:// is no database that is known here`))

/** Connects at once: later, the engine treats a missing database as a defect. */
const layerPostgres = (url: Redacted.Redacted): Database["layer"] =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("@effect/sql-pg/PgClient")),
      (PgClient) => PgClient.layer({ url, applicationName: "effect-oss" })
    )
  ).pipe(
    Layer.tap((context) => Context.get(context, SqlClient)`SELECT 1`),
    connecting
  )

/** A file that only this user can read, in a directory that is created if it doesn't exist. */
const layerFile = (path: string): Database["layer"] =>
  Layer.unwrap(Effect.map(prepared(path), (sqlite) => sqlite.layer({ file: path }))).pipe(
    Layer.catch(({ message }) => Layer.effectContext(unusable(`${path}: ${message}`))),
    Layer.provide(NodeFileSystem.layer)
  )

/** Two runners with the same name would do all work twice. */
const lockOf = (path: string): Database["lock"] =>
  Layer.effectDiscard(
    Effect.flatMap(prepared(path), (sqlite) => sqlite.lock(`${path}-runner`)).pipe(
      Effect.catch((error) =>
        error._tag === "SqlError" && error.reason._tag === "LockTimeoutError"
          ? unusable(`${path}: a runner is at work on it already`)
          : unusable(`${path}: ${error.message}`)
      )
    )
  ).pipe(Layer.provide(NodeFileSystem.layer))

const prepared = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem
  yield* fs.makeDirectory(dirname(path), { recursive: true, mode: 0o700 })
  return yield* Effect.promise(() => import("@effect-oss/sql-store/NodeSqlite"))
})

const unusable = (problem: string) =>
  Effect.fail(
    new InvalidRequest({
      field: "database",
      problem,
      remedy: "give the URL of a PostgreSQL server, or the path of a file for SQLite"
    })
  )
