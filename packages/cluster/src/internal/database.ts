/** The cluster's database, by its URL. */
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { SqlClient } from "effect/sql/SqlClient"

/** What a database can be; only with a server can there be several runners. */
export interface Database {
  readonly isServer: boolean
  readonly layer: Layer.Layer<SqlClient, InvalidRequest>
}

const isPostgres = (url: string) => /^postgres(ql)?:/.test(url)

/** Opens nothing yet. */
export const databaseOf = (url: Redacted.Redacted): Database =>
  isPostgres(Redacted.value(url))
    ? { isServer: true, layer: layerPostgres(url) }
    : { isServer: false, layer: layerFile(Redacted.value(url)) }

const layerPostgres = (url: Redacted.Redacted): Database["layer"] =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("@effect/sql-pg/PgClient")),
      (PgClient) => PgClient.layer({ url, applicationName: "effect-oss" })
    )
  ).pipe(Layer.catch(({ message }) => Layer.effectContext(unusable(message))))

const layerFile = (path: string): Database["layer"] =>
  Layer.effectContext(unusable(`${path}: no SQLite yet`))

const unusable = (problem: string) =>
  Effect.fail(
    new InvalidRequest({
      field: "--database-url",
      problem,
      remedy: "give the URL of a PostgreSQL server, or the path of a file for SQLite"
    })
  )
