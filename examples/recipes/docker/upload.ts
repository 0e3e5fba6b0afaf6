/** Uploads what is below /data. If the container is stopped or dies, the next one carries on. */
import { OssClient, UploadMany } from "@effect-oss/core"
import { FsCheckpointStore } from "@effect-oss/node-fs-store"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Stream } from "effect"

const { DATA = "/data", CHECKPOINTS = "/state" } = process.env

const upload = UploadMany.uploadAll(UploadMany.directory(DATA, "data"), { skipIdentical: true })

upload.pipe(
  Stream.runForEach((outcome) =>
    "error" in outcome
      ? Effect.fail(outcome.error)
      : Console.log(
          `${outcome.request.key}: sent ${outcome.result.sent} of ${outcome.result.size} bytes`
        )
  ),
  Effect.provide([OssClient.layerConfig(), FsCheckpointStore.layer({ directory: CHECKPOINTS })]),
  Effect.provide([NodeOssHttp.layer(), NodeServices.layer]),
  NodeRuntime.runMain
)
