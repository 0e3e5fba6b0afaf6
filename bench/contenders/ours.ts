/**
 * This library with its defaults: CRC64 compared, checkpoint durable.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as OssClient from "@effect-oss/core/OssClient"
import * as Source from "@effect-oss/core/Source"
import * as Upload from "@effect-oss/core/Upload"
import * as FsCheckpointStore from "@effect-oss/node-fs-store/FsCheckpointStore"
import * as NodeOssHttp from "@effect-oss/node-http/NodeOssHttp"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { basename } from "node:path"
import { note, task } from "./report.ts"

const { endpoint, files, directory, partSize, parallel, fails = false } = task
const single = files.length === 1

const upload = (file: string) =>
  Upload.upload({
    key: basename(file),
    source: Source.file(file),
    partSize,
    concurrency: single ? parallel : undefined
  })

const program = Effect.forEach(files, upload, { concurrency: parallel ?? 5, discard: true })

let checkpointBytes = 0
/** A file that counts what is written; all else is its own. */
const counted = (file: FileSystem.File): FileSystem.File =>
  Object.assign(Object.create(file), {
    write: (bytes: Uint8Array) => {
      checkpointBytes += bytes.length
      return file.write(bytes)
    },
    writeAll: (bytes: Uint8Array) => {
      checkpointBytes += bytes.length
      return file.writeAll(bytes)
    }
  })

/** The store is the only one that writes files. */
const counting = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (fs) => ({
    ...fs,
    open: (path, options) => Effect.map(fs.open(path, options), counted),
    writeFile: (path, bytes, options) => {
      checkpointBytes += bytes.length
      return fs.writeFile(path, bytes, options)
    },
    writeFileString: (path, text, options) => {
      checkpointBytes += Buffer.byteLength(text)
      return fs.writeFileString(path, text, options)
    }
  }))
)

const client = OssClient.layer({
  bucket: "bucket",
  endpoint,
  pathStyle: true,
  credentials: Effect.succeed({ accessKeyId: "id", accessKeySecret: Redacted.make("secret") })
})

const layer = Layer.mergeAll(client, FsCheckpointStore.layer({ directory })).pipe(
  Layer.provideMerge(NodeOssHttp.layer()),
  Layer.provideMerge(counting),
  Layer.provideMerge(Layer.merge(NodeFileSystem.layer, NodePath.layer))
)

program.pipe(
  fails ? Effect.ignore : (self) => self,
  Effect.tap(() => Effect.sync(() => note({ checkpointBytes }))),
  Effect.provide(layer),
  NodeRuntime.runMain
)
