/** A program that used ali-oss so far: its client, and what its checkpoint.json still stands for. */
import { Checkpoint, OssClient, Source, Upload } from "@effect-oss/core"
import { FsCheckpointStore } from "@effect-oss/node-fs-store"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import AliOss from "ali-oss"
import { Console, Effect, FileSystem, Option, Schema } from "effect"

export const program = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const saved = yield* fs
    .readFileString("checkpoint.json")
    .pipe(Effect.flatMap(Schema.decodeEffect(Schema.fromJsonString(Schema.Unknown))), Effect.option)
  const result = yield* Upload.upload({
    key: "backups/db.tar",
    source: Source.file("db.tar"),
    from: Option.getOrUndefined(Option.map(saved, Checkpoint.fromAliOss))
  })
  yield* fs.remove("checkpoint.json", { force: true })
  yield* Console.log(`${result.resumed} bytes were there, ${result.sent} were sent`)
})

if (import.meta.main) {
  const options = {
    bucket: process.env["OSS_BUCKET"] ?? "",
    endpoint: process.env["OSS_ENDPOINT"] ?? "",
    sldEnable: true,
    accessKeyId: process.env["OSS_ACCESS_KEY_ID"] ?? "",
    accessKeySecret: process.env["OSS_ACCESS_KEY_SECRET"] ?? ""
  }
  program.pipe(
    Effect.provide([
      OssClient.fromAliOss(new AliOss(options)),
      FsCheckpointStore.layer({ directory: "state" })
    ]),
    Effect.provide([NodeOssHttp.layer(), NodeServices.layer]),
    NodeRuntime.runMain
  )
}
