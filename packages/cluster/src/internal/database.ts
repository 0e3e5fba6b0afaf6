/** The cluster's database, by its URL. */
import { dirname } from "node:path"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { SqlClient } from "effect/sql/SqlClient"

/** What a database can be; only with a server can there be several runners. */
export interface Database {
  readonly isServer: boolean
  readonly layer: Layer.Layer<SqlClient, InvalidRequest>
  /** Held by a runner, if there can be only one. */
  readonly lock: Layer.Layer<never, InvalidRequest>
}

const isPostgres = (url: string) => /^postgres(ql)?:/.test(url)

/** Opens nothing yet. */
export const databaseOf = (url: Redacted.Redacted): Database =>
  isPostgres(Redacted.value(url))
    ? { isServer: true, layer: layerPostgres(url), lock: Layer.empty }
    : {
        isServer: false,
        layer: layerFile(Redacted.value(url)),
        lock: lockOf(Redacted.value(url))
      }

const layerPostgres = (url: Redacted.Redacted): Database["layer"] =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("@effect/sql-pg/PgClient")),
      (PgClient) => PgClient.layer({ url, applicationName: "effect-oss" })
    )
  ).pipe(Layer.catch(({ message }) => Layer.effectContext(unusable(message))))

/** A file of this user's, in a directory that is made if need be. */
const layerFile = (path: string): Database["layer"] =>
  Layer.unwrap(Effect.map(prepared(path), (sqlite) => sqlite.layer({ file: path }))).pipe(
    Layer.catch(({ message }) => Layer.effectContext(unusable(`${path}: ${message}`))),
    Layer.provide(NodeFileSystem.layer)
  )

/** Two runners that take each other for themselves would do everything twice. */
const lockOf = (path: string): Database["lock"] =>
  Layer.effectDiscard(
    Effect.flatMap(prepared(path), (sqlite) => sqlite.lock(`${path}-runner`)).pipe(
      Effect.catchTags({
        SqlError: () => unusable(`${path}: a runner is at work on it already`),
        PlatformError: ({ message }) => unusable(message)
      })
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
      field: "--database-url",
      problem,
      remedy: "give the URL of a PostgreSQL server, or the path of a file for SQLite"
    })
  )
