/** One program, four places for its checkpoints: change the line that is marked. */
import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import { FsCheckpointStore } from "@effect-oss/node-fs-store"
import { NodeOssHttp } from "@effect-oss/node-http"
import { SqlCheckpointStore } from "@effect-oss/sql-store"
import * as NodeSqlite from "@effect-oss/sql-store/NodeSqlite"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { Config, Effect, Layer } from "effect"

/** Gone with the process. */
export const memory = CheckpointStore.layerMemory

/** For processes on one machine, safe against crashes and each other. */
export const files = FsCheckpointStore.layer({ directory: ".effect-oss" })

/** The same in a database that needs no server. */
export const sqlite = SqlCheckpointStore.layer().pipe(
  Layer.provide(NodeSqlite.layer({ file: "uploads.sqlite" }))
)

/** For processes on many machines, next to the rows of the application. */
export const postgres = SqlCheckpointStore.layer().pipe(
  Layer.provide(PgClient.layerConfig({ url: Config.Redacted("DATABASE_URL") }))
)

export const program = Upload.upload({ key: "backups/db.tar", source: Source.file("db.tar") })

if (import.meta.main) {
  program.pipe(
    Effect.provide([OssClient.layerConfig(), sqlite]), // or memory, files, postgres
    Effect.provide([NodeOssHttp.layer(), NodeServices.layer]),
    NodeRuntime.runMain
  )
}
