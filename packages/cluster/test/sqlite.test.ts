/** The embedded default: one runner, and a client, on a file. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Buckets, Database, Locator, NodeCluster, UploadRunner, Uploads } from "@effect-oss/cluster"
import { Crc64 } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, FileSystem, Layer, Option, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { SqlClient } from "effect/sql"
import { bucket, content, partSize } from "./world.ts"

const noHttp = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make(() => Effect.die(new Error("there is no network")))
)

describe("SQLite", () => {
  it.live("is all that a runner and those who submit to it need", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const path = `${directory}/file`
      yield* fs.writeFile(path, content)
      const { layer, isServer } = Database.of(Redacted.make(`${directory}/state/cluster.sqlite`))
      assert.isFalse(isServer)
      yield* Layer.build(
        UploadRunner.layer({ roots: [directory] }).pipe(
          Layer.provide(NodeCluster.layerSingle),
          Layer.provide(layer)
        )
      )
      const status = yield* Effect.gen(function* () {
        const request = { bucket, key: "file", source: Locator.file(path), partSize }
        const id = yield* Uploads.submit(request)
        return yield* Uploads.status(id).pipe(
          Effect.tap(Effect.sleep("20 millis")),
          Effect.repeat({ until: ({ _tag }) => _tag === "Completed" || _tag === "Failed" })
        )
      }).pipe(Effect.provide(NodeCluster.layerClient.pipe(Layer.provide(layer)), { local: true }))
      assert.strictEqual(status._tag, "Completed")
      const object = yield* (yield* OssEmulator.OssEmulator).object(bucket, "file")
      assert.strictEqual(Option.getOrThrow(object).crc64, Crc64.of(content))
    }).pipe(
      Effect.scoped,
      Effect.provide(Buckets.layerClient.pipe(Layer.provideMerge(OssEmulator.layerClient()))),
      Effect.provide([NodeServices.layer, noHttp])
    )
  )

  it.live("says that a row is there already as Effect expects it", () =>
    Effect.gen(function* () {
      const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const { layer } = Database.of(Redacted.make(`${directory}/cluster.sqlite`))
      const { reason } = yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`CREATE TABLE t (id TEXT UNIQUE)`
        yield* sql`INSERT INTO t VALUES ('a')`
        return yield* Effect.flip(sql`INSERT INTO t VALUES ('a')`)
      }).pipe(Effect.provide(layer))
      assert.strictEqual(reason._tag, "UniqueViolation")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("has a known scheme, or is a file that SQLite can open", () =>
    Effect.gen(function* () {
      const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      yield* (yield* FileSystem.FileSystem).writeFileString(`${directory}/text`, "no database")
      const failure = (url: string) =>
        Effect.flip(Layer.build(Layer.fresh(Database.of(Redacted.make(url)).layer)))
      assert.match((yield* failure("mysql://db")).message, /mysql:\/\/ is no database/)
      assert.match((yield* failure(`${directory}/text`)).message, /text: file is not a database/)
      assert.match((yield* failure(`${directory}/text/x`)).message, /text/)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("takes one runner at a time", () =>
    Effect.gen(function* () {
      const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const { lock } = Database.of(Redacted.make(`${directory}/cluster.sqlite`))
      const held = Layer.build(Layer.fresh(lock))
      yield* Effect.scoped(
        Effect.andThen(held, Effect.scoped(held)).pipe(
          Effect.flip,
          Effect.tap(({ message }) => Effect.sync(() => assert.match(message, /at work/)))
        )
      )
      yield* Effect.scoped(held)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
