/** What people ask of a cluster, on each kind of database. */
import { connect, createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { NodeServices } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import {
  Buckets,
  Database,
  Executions,
  Locator,
  NodeCluster,
  UploadRunner,
  Uploads
} from "@effect-oss/cluster"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, FileSystem, Layer, Logger, Option, Redacted, References } from "effect"
import { HttpClient } from "effect/http"
import { SqlClient } from "effect/sql"
import { Postgres } from "../../sql-store/test/postgres.ts"
import { bucket, content, contentOf, partSize } from "./world.ts"

const noHttp = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make(() => Effect.die(new Error("there is no network")))
)

const outside = Layer.mergeAll(
  Layer.provideMerge(Buckets.layerClient, OssEmulator.layerClient()),
  NodeServices.layer,
  noHttp
)

const quick = {
  entityMessagePollInterval: "100 millis",
  refreshAssignmentsInterval: "200 millis"
} as const

const files = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  yield* fs.writeFile(`${directory}/large`, content)
  yield* fs.writeFile(`${directory}/small`, contentOf(1_000))
  return directory
})

const ended = (id: string) =>
  Uploads.status(id).pipe(
    Effect.tap(Effect.sleep("20 millis")),
    Effect.repeat({ until: ({ _tag }) => _tag !== "Waiting" && _tag !== "Sending" })
  )

const rows = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ n: number }>`
    SELECT (SELECT COUNT(*) FROM cluster_messages) + (SELECT COUNT(*) FROM cluster_replies) AS n`
  return Number(row?.n)
})

/** An address of the server that nobody listens on before `listen`, and whose first connection is told that the server starts. */
const startingUp = Effect.fnUntraced(function* (url: string) {
  const { hostname, port, pathname } = new URL(url)
  const [code, text] = ["57P03", "the database system is starting up"]
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${text}\0\0`)
  const header = Buffer.from([0x45, 0, 0, 0, fields.length + 4])
  let refusals = 0
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy())
    if (refusals === 0) {
      refusals++
      socket.once("data", () => socket.end(Buffer.concat([header, fields])))
      return
    }
    const upstream = connect(Number(port), hostname)
    upstream.on("error", () => socket.destroy())
    socket.pipe(upstream)
    upstream.pipe(socket)
  })
  const listen = (at: number) =>
    Effect.promise(() => new Promise<void>((resolve) => server.listen(at, "127.0.0.1", resolve)))
  const close = Effect.promise(() => new Promise<unknown>((resolve) => server.close(resolve)))
  yield* listen(0)
  const own = (server.address() as AddressInfo).port
  yield* close
  yield* Effect.addFinalizer(() => close)
  return {
    url: `postgres://postgres@127.0.0.1:${own}${pathname}`,
    listen: listen(own),
    refusals: () => refusals
  }
})

layer(Postgres.layer, { excludeTestServices: true, timeout: "1 minute" })("a cluster", (it) => {
  describe.each(["SQLite in a file", "PostgreSQL"] as const)("on %s", (name) => {
    const url = (directory: string) =>
      name === "PostgreSQL"
        ? Effect.map(Postgres, ({ url }) => url)
        : Effect.succeed(`${directory}/cluster.sqlite`)

    it.effect("lists uploads, tells unknown ids, sees its runners, and forgets what is over", () =>
      Effect.gen(function* () {
        const directory = yield* files
        const database = Database.of(Redacted.make(yield* url(directory)))
        const client = yield* Layer.build(
          Layer.provideMerge(NodeCluster.layerClient, database.layer)
        )
        yield* Effect.gen(function* () {
          const runners = Executions.Executions.use(({ runners }) => runners)
          const submit = (file: string) =>
            Uploads.submit({
              bucket,
              key: file,
              source: Locator.file(`${directory}/${file}`),
              partSize
            })
          assert.strictEqual(yield* runners, 0)
          const ids = [yield* submit("large"), yield* submit("small")]
          const waiting = yield* Uploads.list()
          assert.deepStrictEqual(
            waiting.map(({ id, key, status }) => [id, key, status._tag]),
            [
              [ids[1], "small", "Waiting"],
              [ids[0], "large", "Waiting"]
            ]
          )
          const unknown = "0".repeat(32)
          for (const verb of [Uploads.status, Uploads.pause, Uploads.resume, Uploads.cancel]) {
            assert.strictEqual((yield* Effect.flip(verb(unknown)))._tag, "UnknownUpload")
          }
          assert.strictEqual(yield* Uploads.cleanUp({ olderThan: 0 }), 0)
          const engine =
            name === "PostgreSQL" ? NodeCluster.layer({ sharding: quick }) : NodeCluster.layerSingle
          yield* Effect.gen(function* () {
            for (const id of ids) assert.strictEqual((yield* ended(id))._tag, "Completed")
            assert.strictEqual(yield* runners, 1)
          }).pipe(
            Effect.provide(
              UploadRunner.layer({ roots: [directory] }).pipe(
                Layer.provide(engine),
                Layer.provide(database.layer)
              ),
              { local: true }
            ),
            // A runner that ends says so.
            Effect.provideService(References.MinimumLogLevel, "Error")
          )
          assert.deepStrictEqual(yield* Uploads.list({ open: true }), [])
          assert.lengthOf(yield* Uploads.list({ limit: 1 }), 1)
          assert.isTrue((yield* Uploads.list()).every(({ ended }) => Option.isSome(ended)))
          assert.strictEqual(yield* Uploads.cleanUp({ olderThan: "1 hour" }), 0)
          assert.strictEqual(yield* Uploads.cleanUp({ olderThan: 0 }), 2)
          assert.strictEqual(yield* rows, 0)
          assert.strictEqual((yield* Effect.flip(Uploads.status(ids[0]!)))._tag, "UnknownUpload")
        }).pipe(Effect.provideContext(client))
      }).pipe(Effect.scoped, Effect.provide(outside))
    )

    it.effect("is not touched by a program that is older than its tables", () =>
      Effect.gen(function* () {
        const directory = yield* files
        const { layer } = Database.of(Redacted.make(yield* url(directory)))
        const context = yield* Layer.build(layer)
        const start = Effect.scoped(
          Layer.build(
            Layer.fresh(Layer.provide(NodeCluster.layerClient, Layer.succeedContext(context)))
          )
        )
        yield* start
        const sql = yield* Effect.provideContext(SqlClient.SqlClient, context)
        yield* sql`INSERT INTO effect_oss_migrations (migration_id, name) VALUES (99, 'newer')`
        const error = yield* Effect.flip(start)
        assert.match(error.message, /a newer program.*effect_oss_migrations.*99/)
        yield* sql`DELETE FROM effect_oss_migrations WHERE migration_id = 99`
        yield* start
      }).pipe(Effect.scoped, Effect.provide(outside))
    )
  })

  it.effect("waits for a server that refuses connections, and then is starting up", () =>
    Effect.gen(function* () {
      const { url } = yield* Postgres
      const starting = yield* startingUp(url)
      const said: Array<unknown> = []
      const logger = Logger.layer([Logger.make(({ message }) => said.push(message))])
      const { layer } = Database.of(Redacted.make(starting.url))
      const rows = SqlClient.SqlClient.use((sql) => sql`SELECT 1 AS one`).pipe(
        Effect.provide(layer, { local: true }),
        Effect.provide(logger)
      )
      const fiber = yield* Effect.forkChild(rows)
      yield* Effect.sleep("20 millis")
      yield* starting.listen
      assert.deepStrictEqual(yield* Fiber.join(fiber), [{ one: 1 }])
      assert.strictEqual(starting.refusals(), 1)
      assert.match(String(said.flat()), /^The database is away; waiting for it: [^,]*ECONNREFUSED/)
    }).pipe(Effect.scoped)
  )

  it.effect("takes submissions of a user who may only read and write its tables", () =>
    Effect.gen(function* () {
      const directory = yield* files
      const { url } = yield* Postgres
      const owner = Database.of(Redacted.make(url)).layer
      const name = `submitter_${process.pid}`
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql.unsafe(`CREATE ROLE ${name} LOGIN`)
        yield* sql.unsafe("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        for (const table of ["messages", "replies", "runners", "locks"]) {
          yield* sql.unsafe(`GRANT SELECT, INSERT, UPDATE, DELETE ON cluster_${table} TO ${name}`)
        }
        for (const table of ["cluster", "cluster_runner", "effect_oss"]) {
          yield* sql.unsafe(`GRANT SELECT ON ${table}_migrations TO ${name}`)
        }
        yield* sql.unsafe(`GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${name}`)
      }).pipe(Effect.provide(Layer.provideMerge(NodeCluster.layerClient, owner)))
      const own = new URL(url)
      own.username = name
      const submitter = Database.of(Redacted.make(own.href)).layer
      yield* Effect.gen(function* () {
        const source = Locator.file(`${directory}/small`)
        const id = yield* Uploads.submit({ bucket, key: "small", source })
        assert.strictEqual((yield* Uploads.status(id))._tag, "Waiting")
        yield* Uploads.cancel(id)
        assert.lengthOf(yield* Uploads.list(), 1)
      }).pipe(
        Effect.provide(Layer.provide(Layer.fresh(NodeCluster.layerClient), submitter), {
          local: true
        }),
        Effect.ensuring(
          Effect.ignore(
            SqlClient.SqlClient.use((sql) =>
              sql.unsafe(`DROP OWNED BY ${name}; DROP ROLE ${name}`)
            ).pipe(Effect.provide(owner, { local: true }))
          )
        )
      )
    }).pipe(Effect.scoped, Effect.provide(outside))
  )
})
