/**
 * What a program can import: every subpath of every package, and how many names
 * the documented ones export. Both change on purpose, together with this file.
 */
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Schema } from "effect"
import { root } from "./support/command.ts"
import { entriesOf } from "./support/exports.ts"

interface Surface {
  /** Names that the subpaths export together. */
  readonly exports: number
  readonly subpaths: string
  /** For the other packages of this workspace: no page mentions them, and they may change in any release. */
  readonly internal?: string
}

const surface: Readonly<Record<string, Surface>> = {
  core: {
    exports: 156,
    subpaths:
      "Bandwidth BandwidthRateLimiter Body Checkpoint CheckpointStore Crc64 KeyValueCheckpointStore ObjectOptions OssClient OssCredentials OssError OssModel Part RetryPolicy Source Upload UploadDefaults UploadError UploadEvent UploadMany testing/CheckpointStoreContract testing/OssClientContract",
    internal:
      "internal/body internal/checkpoint internal/objectKey internal/source/errors internal/source/fingerprint internal/source/slice internal/textFile internal/upload/directory internal/upload/multipart"
  },
  "node-fs-store": { exports: 2, subpaths: "FsCheckpointStore" },
  "sql-store": {
    exports: 5,
    subpaths: "NodeSqlite SqlCheckpointStore",
    internal: "internal/passing"
  },
  "node-http": { exports: 11, subpaths: "CredentialsError NodeOssCredentials NodeOssHttp" },
  web: { exports: 12, subpaths: "FileHandles IndexedDbCheckpointStore Network WebOssHttp" },
  terminal: {
    exports: 17,
    subpaths: "Display Pinned Render Screen Text",
    internal: "internal/board internal/size"
  },
  emulator: { exports: 26, subpaths: "Fault OssEmulator RequestLog", internal: "internal/script" },
  cluster: {
    exports: 35,
    subpaths: "Buckets ClusterError Database Executions Locator NodeCluster UploadRunner Uploads",
    internal: "internal/locate"
  },
  crc64: { exports: 6, subpaths: "" },
  cli: { exports: 0, subpaths: "" }
}

const Manifest = Schema.fromJsonString(
  Schema.Struct({
    exports: Schema.Record(Schema.String, Schema.NullOr(Schema.String)),
    publishConfig: Schema.Struct({
      exports: Schema.optionalKey(Schema.Record(Schema.String, Schema.NullOr(Schema.String)))
    })
  })
)

const manifestOf = (folder: string) =>
  FileSystem.FileSystem.use((fs) =>
    fs.readFileString(`${root}/packages/${folder}/package.json`)
  ).pipe(Effect.flatMap(Schema.decodeEffect(Manifest)))

/** The subpaths of a package, patterns expanded, with the file of each. */
const subpathsOf = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const { exports } = yield* manifestOf(folder)
  const subpaths = new Map<string, string>()
  const hidden = Object.entries(exports).flatMap(([key, file]) => (file === null ? [key] : []))
  for (const [key, file] of Object.entries(exports)) {
    if (file === null || key === "./package.json") continue
    if (!key.includes("*")) {
      subpaths.set(key, file)
      continue
    }
    const files = yield* fs.glob(`packages/${folder}/${file.slice(2).replace("*", "**/*")}`, {
      root
    })
    const [before = "", after = ""] = file.split("*")
    for (const found of files) {
      const path = `.${found.slice(`packages/${folder}`.length)}`
      const name = key.replace("*", path.slice(before.length, path.length - after.length))
      const isHidden = hidden.some((other) =>
        other.endsWith("*") ? name.startsWith(other.slice(0, -1)) : name === other
      )
      if (!isHidden) subpaths.set(name, path)
    }
  }
  return subpaths
})

layer(NodeServices.layer, { excludeTestServices: true })("the surface", (it) => {
  it.effect("is these subpaths, and so many names", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folders = (yield* fs.readDirectory(`${root}/packages`)).toSorted()
      const found: Record<string, Surface> = {}
      for (const folder of folders) {
        const subpaths = yield* subpathsOf(folder)
        const names = Array.from(subpaths.keys(), (key) => key.replace(/^\.\/?/, "")).toSorted()
        const internal = names.filter((name) => name.startsWith("internal/"))
        const documented = names.filter((name) => name !== "" && !name.startsWith("internal/"))
        const entries = yield* Effect.forEach(
          Array.from(subpaths).filter(([key]) => !key.startsWith("./internal/")),
          ([, file]) => entriesOf(`packages/${folder}/${file.slice(2)}`)
        )
        found[folder] = {
          exports: new Set(entries.flat()).size,
          subpaths: documented.join(" "),
          ...(internal.length === 0 ? {} : { internal: internal.join(" ") })
        }
      }
      assert.deepStrictEqual(found, surface)
    })
  )

  it.effect("is the same in the workspace and once published", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      for (const folder of yield* fs.readDirectory(`${root}/packages`)) {
        const { exports, publishConfig } = yield* manifestOf(folder)
        if (publishConfig.exports === undefined) continue
        const published = Object.entries(exports).map(([key, file]) => [
          key,
          file?.replace(/^\.\/src\/(.*)\.ts$/, "./dist/$1.js") ?? null
        ])
        assert.deepStrictEqual(publishConfig.exports, Object.fromEntries(published), folder)
      }
    })
  )
})
