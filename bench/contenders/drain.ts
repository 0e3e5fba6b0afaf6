/**
 * Streams of so many bytes, one or more at once, into `Upload.sink` with its
 * defaults, and with a budget of memory if the task has one. Their chunks are
 * one buffer, again and again, so that what is measured is the sink's.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as OssClient from "@effect-oss/core/OssClient"
import * as Upload from "@effect-oss/core/Upload"
import * as UploadDefaults from "@effect-oss/core/UploadDefaults"
import * as NodeOssHttp from "@effect-oss/node-http/NodeOssHttp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { note, task } from "./report.ts"

const { endpoint, amount = 0, parallel = 1, memory } = task

const chunk = new Uint8Array(64 * 1024)
const bytes = Stream.range(1, amount / chunk.length).pipe(Stream.map(() => chunk))

let held = 0
setInterval(() => {
  held = Math.max(held, process.memoryUsage().arrayBuffers)
}, 20).unref()

const client = OssClient.layer({
  bucket: "bucket",
  endpoint,
  pathStyle: true,
  credentials: { accessKeyId: "id", accessKeySecret: Redacted.make("secret") }
})

const keys = Array.from({ length: parallel }, (_, number) => `stream-${number}`)

Effect.forEach(keys, (key) => Stream.run(bytes, Upload.sink({ key })), {
  concurrency: "unbounded",
  discard: true
}).pipe(
  Effect.tap(() => Effect.sync(() => note({ heldMiB: held / 2 ** 20 }))),
  Effect.provide([Layer.provide(client, NodeOssHttp.layer()), UploadDefaults.layer({ memory })]),
  NodeRuntime.runMain
)
