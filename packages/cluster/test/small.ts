/**
 * `node packages/cluster/test/small.ts --files 10000 --size 10240 --runners 2`:
 * many small files as a batch through real runners on PostgreSQL, beside the
 * same files through as many processes of `uploadAll`; prints files a second,
 * and the rows and bytes that a batch leaves, as JSON. The server is one that
 * throws away what it gets, in a process of its own.
 */
import { spawn } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { NodeCluster, Uploads } from "@effect-oss/cluster"
import { CheckpointStore, Crc64, OssClient, Source, UploadMany } from "@effect-oss/core"
import { NodeOssHttp } from "@effect-oss/node-http"
import { Console, Effect, FileSystem, Layer, Redacted, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { database, server } from "../../sql-store/test/postgres.ts"
import { bin } from "../../../test/support/bin.ts"

const { values } = parseArgs({
  options: {
    files: { type: "string", default: "10000" },
    size: { type: "string", default: "10240" },
    runners: { type: "string", default: "2" },
    /** A process that is the server. */
    sink: { type: "boolean", default: false },
    /** For the processes of `uploadAll`: the server, and which files. */
    endpoint: { type: "string" },
    directory: { type: "string" },
    from: { type: "string" },
    to: { type: "string" }
  }
})
const count = Number(values.files)
const size = Number(values.size)
const runners = Number(values.runners)

/** Answers every PUT as OSS would. */
const sink = () =>
  createServer((request, response) => {
    let crc64 = 0n
    request.on("data", (piece: Uint8Array) => (crc64 = Crc64.of(piece, crc64)))
    request.on("end", () => {
      response.writeHead(200, {
        etag: '"D41D8CD98F00B204E9800998ECF8427E"',
        "x-oss-hash-crc64ecma": String(crc64),
        "x-oss-request-id": "000000000000000000000000"
      })
      response.end()
    })
  })

const keys = { OSS_ACCESS_KEY_ID: "id", OSS_ACCESS_KEY_SECRET: "secret", OSS_PATH_STYLE: "true" }

/** One process of `uploadAll`. */
const share = Effect.gen(function* () {
  const { endpoint = "", directory = "", from, to } = values
  const requests = Array.from({ length: Number(to) - Number(from) }, (_, index) => {
    const name = `file-${Number(from) + index}`
    return { key: name, source: Source.file(`${directory}/${name}`) }
  })
  yield* UploadMany.uploadAll(requests, { concurrency: 40, parts: 20 }).pipe(
    Stream.runForEach((outcome) =>
      outcome._tag === "Failed" ? Effect.die(outcome.error) : Effect.void
    ),
    Effect.provide([
      OssClient.layer({
        bucket: "bucket",
        endpoint,
        pathStyle: true,
        credentials: { accessKeyId: "id", accessKeySecret: Redacted.make("secret") }
      }),
      CheckpointStore.layerMemory
    ]),
    Effect.provide(NodeOssHttp.layer())
  )
}).pipe(Effect.provide(NodeServices.layer))

const child = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const process_ = spawn(process.execPath, args, {
        env: { PATH: process.env["PATH"] ?? "", ...env },
        stdio: ["ignore", "pipe", "inherit"]
      })
      const said = new Promise<string>((resolve) =>
        process_.stdout.once("data", (text) => resolve(String(text).trim()))
      )
      const ended = new Promise<void>((resolve, reject) =>
        process_.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`${code}`))))
      )
      ended.catch(() => undefined)
      return { process_, said, ended }
    }),
    ({ process_ }) => Effect.sync(() => process_.kill("SIGKILL"))
  )

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const start = performance.now()
    yield* effect
    return (performance.now() - start) / 1_000
  })

const uploadAll = (endpoint: string, directory: string) =>
  Effect.forEach(
    Array.from({ length: runners }, (_, index) => index),
    (index) => {
      const at = (index: number) => `${Math.floor((count * index) / runners)}`
      const own = ["--from", at(index), "--to", at(index + 1), "--endpoint", endpoint]
      const script = fileURLToPath(import.meta.url)
      return Effect.flatMap(child([script, ...own, "--directory", directory], {}), ({ ended }) =>
        Effect.promise(() => ended)
      )
    },
    { concurrency: "unbounded", discard: true }
  ).pipe(Effect.scoped)

/** Waits until the runners have shared the shards, which takes some seconds after the last one joins. */
const settled = SqlClient.SqlClient.use(
  (sql) => sql<{ shards: string; holders: string }>`
    SELECT COUNT(*) AS shards, COUNT(DISTINCT pid) AS holders FROM pg_locks
    WHERE locktype = 'advisory' AND granted`
).pipe(
  Effect.tap(Effect.sleep("200 millis")),
  Effect.repeat({
    until: ([row]) => Number(row?.shards) >= 300 && Number(row?.holders) === runners
  }),
  Effect.timeout("1 minute")
)

const batch = Effect.fnUntraced(function* (url: string, endpoint: string, directory: string) {
  const env = { ...keys, OSS_ENDPOINT: endpoint, EFFECT_OSS_DATABASE_URL: url }
  for (let index = 0; index < runners; index++) {
    const { said } = yield* child([bin, "runner", "--root", directory], env)
    yield* Effect.promise(() => said)
  }
  yield* settled
  const files = Array.from({ length: count }, (_, index) => {
    const key = `file-${index}`
    return { key, path: `${directory}/${key}` }
  })
  const submitted = performance.now()
  const ids = yield* Uploads.submitMany({ bucket: "bucket", prefix: "", files })
  const begun = performance.now()
  for (const id of ids) {
    // As often as `submit --wait` asks: each status of a batch reads all its slices.
    const status = yield* Uploads.status(id).pipe(
      Effect.tap(Effect.sleep("500 millis")),
      Effect.repeat({ until: ({ _tag }) => _tag !== "Waiting" && _tag !== "Sending" })
    )
    if (status._tag !== "BatchEnded" || status.result.files !== count) {
      return yield* Effect.die(new Error(JSON.stringify(status)))
    }
  }
  const ended = performance.now()
  const sql = yield* SqlClient.SqlClient
  const [left] = yield* sql<{ rows: string; bytes: string }>`
    SELECT (SELECT COUNT(*) FROM cluster_messages) + (SELECT COUNT(*) FROM cluster_replies) AS rows,
      pg_total_relation_size('cluster_messages') + pg_total_relation_size('cluster_replies') AS bytes`
  return {
    submit: (begun - submitted) / 1_000,
    seconds: (ended - begun) / 1_000,
    rows: Number(left?.rows),
    bytes: Number(left?.bytes)
  }
}, Effect.scoped)

const measure = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped({ directory: tmpdir(), prefix: "small-" })
  const bytes = new Uint8Array(size)
  for (let index = 0; index < count; index++) {
    bytes.set(new TextEncoder().encode(`${index} `))
    yield* fs.writeFile(`${directory}/file-${index}`, bytes)
  }
  const { said } = yield* child([fileURLToPath(import.meta.url), "--sink"], {})
  const endpoint = yield* Effect.promise(() => said)
  const all = yield* timed(uploadAll(endpoint, directory))
  const url = yield* database(yield* server, `effect_oss_small_${process.pid}`)
  const client = NodeCluster.layerClient.pipe(
    Layer.provideMerge(PgClient.layer({ url: Redacted.make(url) }))
  )
  const cluster = yield* Effect.provide(batch(url, endpoint, directory), client)
  yield* Console.log(
    JSON.stringify({
      files: count,
      size,
      runners,
      uploadAll: { seconds: all, filesPerSecond: count / all },
      batch: {
        ...cluster,
        filesPerSecond: count / cluster.seconds,
        times: cluster.seconds / all,
        rowsPerFile: cluster.rows / count,
        bytesPerFile: cluster.bytes / count
      }
    })
  )
}).pipe(Effect.scoped, Effect.provide([NodeServices.layer, NodeHttpClient.layerNodeHttp]))

if (values.sink) {
  const listening = sink().listen(0, "127.0.0.1", () => {
    console.log(`http://127.0.0.1:${(listening.address() as AddressInfo).port}`)
  })
} else if (values.endpoint === undefined) NodeRuntime.runMain(measure)
else NodeRuntime.runMain(share)
