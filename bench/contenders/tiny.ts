/**
 * So many objects of 1 KiB through one `UploadMany.uploadAll` with its defaults;
 * requests are made as they are asked for.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as UploadMany from "@effect-oss/core/UploadMany"
import * as CheckpointStore from "@effect-oss/core/CheckpointStore"
import * as OssClient from "@effect-oss/core/OssClient"
import * as Source from "@effect-oss/core/Source"
import * as NodeOssHttp from "@effect-oss/node-http/NodeOssHttp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { note, task } from "./report.ts"

const { endpoint, amount = 0 } = task

const content = new Uint8Array(1024)
const quarter = Math.ceil(amount / 4)
const requests = Stream.range(1, amount).pipe(
  Stream.map((n) => ({ key: `tiny/${n}`, source: Source.bytes(content, `${n}`) }))
)

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

let held = 0
/** What is alive, looked at four times. */
const look = Effect.sync(() => {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  held = Math.max(held, heapUsed + arrayBuffers)
})

const client = OssClient.layer({
  bucket: "bucket",
  endpoint,
  pathStyle: true,
  credentials: { accessKeyId: "id", accessKeySecret: Redacted.make("secret") }
})

UploadMany.uploadAll(requests, { onFailure: "stop" }).pipe(
  Stream.zipWithIndex,
  Stream.tap(([, index]) => (index % quarter === quarter >> 1 ? look : Effect.void)),
  Stream.runDrain,
  Effect.tap(() => Effect.sync(() => note({ heldMiB: held / 2 ** 20 }))),
  Effect.provide([Layer.provide(client, NodeOssHttp.layer()), CheckpointStore.layerMemory]),
  NodeRuntime.runMain
)
