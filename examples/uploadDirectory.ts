/** Uploads a directory, and again only what has changed since. Failures are listed, the rest goes on. */
import { OssClient, UploadMany } from "@effect-oss/core"
import { FsCheckpointStore } from "@effect-oss/node-fs-store"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Stream } from "effect"

export const uploadDirectory = (path: string) =>
  UploadMany.directory(path, "site", { exclude: ["**/.git", "**/*.tmp"] }).pipe(
    Stream.map((request) => ({ ...request, headers: { "Cache-Control": "max-age=60" } })),
    (requests) =>
      UploadMany.uploadAll(requests, { concurrency: 20, parts: 10, skipIdentical: true }),
    Stream.tap(({ _tag, request, ...outcome }) =>
      "error" in outcome
        ? Console.error(`${_tag} ${request.key}: ${outcome.error.message}`)
        : Console.log(`${_tag} ${request.key}`)
    ),
    Stream.runFold(
      () => ({ Completed: 0, Skipped: 0, Failed: 0 }),
      (counts, { _tag }) => ({ ...counts, [_tag]: counts[_tag] + 1 })
    )
  )

if (import.meta.main) {
  uploadDirectory("public").pipe(
    Effect.tap(Console.log),
    Effect.provide([
      OssClient.layerConfig(),
      FsCheckpointStore.layer({ directory: ".effect-oss" })
    ]),
    Effect.provide([NodeOssHttp.layer(), NodeServices.layer]),
    NodeRuntime.runMain
  )
}
