/** One program, three places for its checkpoints: change the line that is marked. */
import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import { FsCheckpointStore } from "@effect-oss/node-fs-store"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { KeyValueStore } from "effect/persistence"
import * as Sqlite from "../support/sqlite.ts"

/** Gone with the process. */
export const memory = CheckpointStore.layerMemory

/** For processes on one machine, safe against crashes and each other. */
export const files = FsCheckpointStore.layer({ directory: ".effect-oss" })

/** Next to the rows of the application; any `SqlClient` of Effect's will do. */
export const sqlite = CheckpointStore.layerKeyValueStore().pipe(
  Layer.provide(KeyValueStore.layerSql({ table: "checkpoints" })),
  Layer.provide(Sqlite.layer("uploads.sqlite"))
)

export const program = Upload.upload({ key: "backups/db.tar", source: Source.file("db.tar") })

if (import.meta.main) {
  program.pipe(
    Effect.provide([OssClient.layerConfig(), memory]), // or memory, or files
    Effect.provide([NodeOssHttp.layer(), NodeServices.layer]),
    NodeRuntime.runMain
  )
}
