/**
 * Uploads by real processes on a real database: some are killed, some are
 * suspended past their lease and woken, and in the end the server is asked.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { tmpdir } from "node:os"
import { NodeHttpClient, NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { Locator, NodeCluster, Uploads } from "@effect-oss/cluster"
import { Crc64, Part } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, FileSystem, Layer, Option, Redacted, Result } from "effect"
import { SqlClient } from "effect/sql"
import { database } from "../../sql-store/test/postgres.ts"
import { listeningSockets } from "./sockets.ts"
import { bin } from "../../../test/support/bin.ts"

const bucket = "backups"
const keyId = "test-key-id"
const secret = "test-secret"

/** How long a runner that hangs keeps what it holds, in seconds. */
const lease = 6

/** Effect's cluster, quicker than by default: its own times are for machines, not for tests. */
const quick = {
  SHARD_LOCK_EXPIRATION: `${lease} seconds`,
  SHARD_LOCK_REFRESH_INTERVAL: "2 seconds",
  REFRESH_ASSIGNMENTS_INTERVAL: "300 millis",
  ENTITY_MESSAGE_POLL_INTERVAL: "500 millis",
  ENTITY_REPLY_POLL_INTERVAL: "100 millis",
  RUNNER_HEALTH_CHECK_INTERVAL: "1 second",
  ENTITY_TERMINATION_TIMEOUT: "3 seconds"
}

/** What one runner has under way at most. */
const activities = 4
const parallel = 3

export interface World {
  readonly databaseUrl: string
  /** If the database has one session only, so that its locks can't tell runners apart. */
  readonly singleSession?: boolean | undefined
  readonly seed: number
  readonly files: number
  /** Of the one that all runners share, in bytes. */
  readonly largeSize: number
  /** Of each part that is sent, in milliseconds. */
  readonly latency: number
  /** What is done, one after the other: to runners, of which another takes the place of one that died, or to the database. */
  readonly blows: ReadonlyArray<"kill" | "suspend" | "restart">
  /** Restarts the database. */
  readonly restart?: Effect.Effect<void> | undefined
  readonly runners: number
}

export interface Figures {
  readonly uploads: number
  readonly bytes: number
  readonly parts: number
  readonly kills: number
  readonly suspensions: number
  /** Parts and small objects that the server received whole more than once. */
  readonly duplicates: number
  /** The most that the blows explain. */
  readonly explained: number
  readonly seconds: number
  /** Sockets on which runners waited for others. */
  readonly listening: ReadonlyArray<string>
  /** Upload ids without parts that stay, because their runner was struck before it recorded them. */
  readonly unrecorded: number
  /** What is wrong: uploads that did not complete, objects that aren't whole, uploads left open. */
  readonly wrong: ReadonlyArray<string>
}

const partSize = 256 * 1024

/** Repeatable bytes: the digests of a counter, a block each. */
const contentOf = (size: number, seed: string): Uint8Array => {
  const block = createHash("sha512").update(seed).digest()
  const bytes = new Uint8Array(size)
  for (let offset = 0; offset < size; offset += block.length) {
    block.writeUInt32LE(offset % 0xffffffff, 0)
    bytes.set(block.subarray(0, Math.min(block.length, size - offset)), offset)
  }
  return bytes
}

/** A process that is a runner, and dies with the scope. */
const runner = (env: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(
        process.execPath,
        [
          bin,
          "runner",
          "--root",
          tmpdir(),
          "--activities",
          `${activities}`,
          "--parallel",
          `${parallel}`
        ],
        { env, stdio: ["ignore", "pipe", "pipe"] }
      )
      let said = ""
      child.stdout.on("data", (text) => (said += text))
      child.stderr.on("data", (text) => (said += text))
      const exited = new Promise<void>((resolve) => child.once("close", () => resolve()))
      return {
        pid: child.pid ?? 0,
        said: () => said,
        signal: (signal: NodeJS.Signals) => Effect.sync(() => child.kill(signal)),
        exited: Effect.promise(() => exited)
      }
    }),
    ({ signal, exited }) =>
      signal("SIGCONT").pipe(Effect.andThen(signal("SIGKILL")), Effect.andThen(exited))
  )

/** Asks again and again. */
const until = <E, R>(
  what: string,
  condition: Effect.Effect<boolean, E, R>,
  /** For whoever looks why not. */
  seen: Effect.Effect<unknown, E, R> = Effect.void
) =>
  condition.pipe(
    Effect.tap((holds) => (holds ? Effect.void : Effect.sleep("50 millis"))),
    Effect.repeat({ until: (holds) => holds }),
    Effect.timeoutOrElse({
      duration: "5 minutes",
      orElse: () =>
        Effect.flatMap(seen, (seen) =>
          Effect.die(new Error(`it never comes to that: ${what} ${JSON.stringify(seen) ?? ""}`))
        )
    })
  )

/** Runs it all, and says what became of it. */
const run = Effect.fn(function* (world: World) {
  const fs = yield* FileSystem.FileSystem
  const emulator = yield* OssEmulator.OssEmulator
  const start = performance.now()
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oss-cluster-" })
  const sizeOf = (index: number) =>
    index === 0 ? world.largeSize : 1_000 + ((index * 7_919 + world.seed * 104_729) % 1_500_000)
  const sources = Array.from({ length: world.files + 1 }, (_, index) => {
    const content = contentOf(sizeOf(index), `${world.seed}/${index}`)
    return { key: `file-${index}`, path: `${directory}/file-${index}`, content }
  })
  yield* Effect.forEach(sources, ({ path, content }) => fs.writeFile(path, content), {
    discard: true
  })
  const env = {
    ...quick,
    ...(world.singleSession === true ? { SHARD_LOCK_DISABLE_ADVISORY: "true" } : {}),
    PATH: process.env["PATH"] ?? "",
    EFFECT_OSS_DATABASE_URL: world.databaseUrl,
    OSS_ENDPOINT: emulator.url,
    OSS_PATH_STYLE: "true",
    OSS_REGION: "cn-hangzhou",
    OSS_ACCESS_KEY_ID: keyId,
    OSS_ACCESS_KEY_SECRET: secret
  }
  yield* emulator.inject(
    Fault.delay({ operation: "uploadPart", millis: world.latency, times: Infinity }),
    Fault.delay({ operation: "put", millis: world.latency, times: Infinity })
  )
  const ready = Effect.fnUntraced(function* () {
    const it = yield* runner(env)
    yield* until(
      "a runner is ready",
      Effect.sync(() => it.said().includes("ready")),
      Effect.sync(it.said)
    )
    return it
  })
  const first = yield* ready()
  const rest = yield* Effect.forEach(Array.from({ length: world.runners - 1 }), ready, {
    concurrency: "unbounded"
  })
  const runners = [first, ...rest]
  const listening = runners.flatMap(({ pid }) => listeningSockets(pid))
  const ids = yield* Effect.forEach(sources, ({ key, path }) =>
    Uploads.submit({ bucket, key, source: Locator.file(path), partSize })
  )
  const received = Effect.map(emulator.log, (log) =>
    log.filter(
      ({ operation, outcome }) =>
        (operation === "uploadPart" || operation === "put") &&
        outcome._tag === "Answered" &&
        outcome.status === 200
    )
  )
  const total = sources.reduce((sum, { content }) => sum + numbersOf(content.length).length, 0)
  const pending = Effect.map(Effect.forEach(ids, Uploads.status), (statuses) =>
    statuses.flatMap((status, index) =>
      status._tag === "Waiting" || status._tag === "Sending" ? [{ ...status, id: ids[index] }] : []
    )
  )
  /** What is left, who holds it, and what runners said: for whoever looks why it hangs. */
  const seen = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const locks = yield* sql`
      SELECT l.pid, CAST(COUNT(*) AS INT) AS locks, a.state, a.query FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' GROUP BY 1, 3, 4`
    const known =
      yield* sql`SELECT address, healthy, last_heartbeat, NOW() AS now FROM cluster_runners`
    const unprocessed = yield* sql`
      SELECT shard_id, entity_type, tag, last_read FROM cluster_messages WHERE NOT processed LIMIT 20`
    const said = runners.map(({ said, pid }) => ({ pid, said: said() }))
    return { left: yield* pending, locks, known, unprocessed, said }
  })
  const done = (share: number) =>
    until(
      `${share} of all parts are sent`,
      Effect.map(received, (parts) => parts.length >= share * total),
      seen
    )
  for (const [index, blow] of world.blows.entries()) {
    yield* done((0.6 * (index + 1)) / (world.blows.length + 1))
    if (blow === "restart") {
      yield* world.restart ?? Effect.die(new Error("there is nothing to restart"))
      continue
    }
    const victim = runners.splice((world.seed + index) % runners.length, 1)[0]
    if (victim === undefined) continue
    if (blow === "kill") {
      yield* victim.signal("SIGKILL")
      if (world.blows.length > 2) runners.push(yield* ready())
    } else {
      yield* victim.signal("SIGSTOP")
      // By then the others have taken over what it held.
      yield* Effect.sleep(`${lease + 2} seconds`)
      yield* victim.signal("SIGCONT")
      runners.push(victim)
    }
  }
  yield* until(
    "all uploads have ended",
    Effect.map(pending, ({ length }) => length === 0),
    seen
  )
  const wrong: Array<string> = []
  for (const [index, { key, content }] of sources.entries()) {
    const status = yield* Uploads.status(ids[index] ?? "")
    if (status._tag !== "Completed") wrong.push(`${key} is ${status._tag}`)
    const object = yield* emulator.object(bucket, key)
    const whole = Option.exists(
      object,
      ({ size, crc64 }) => size === content.length && crc64 === Crc64.of(content)
    )
    if (!whole) wrong.push(`${key} is not whole`)
  }
  const open = yield* emulator.uploads(bucket)
  const unrecorded = open.filter(({ parts }) => parts.length === 0)
  // A runner initiates as many uploads at once as it has activities, and a blow may strike each.
  const mayStay = world.blows.length * activities
  for (const { key, parts } of open) {
    if (parts.length > 0) wrong.push(`an upload of ${key} is open and has parts`)
  }
  if (unrecorded.length > mayStay) wrong.push(`${unrecorded.length} uploads without parts are open`)
  const parts = yield* received
  const kills = world.blows.filter((blow) => blow === "kill").length
  const suspensions = world.blows.filter((blow) => blow === "suspend").length
  const restarts = world.blows.length - kills - suspensions
  const distinct = new Set(parts.map(({ key, partNumber }) => `${key}/${partNumber ?? ""}`))
  return {
    uploads: sources.length,
    bytes: sources.reduce((sum, { content }) => sum + content.length, 0),
    parts: distinct.size,
    kills,
    suspensions,
    duplicates: parts.length - distinct.size,
    // What it had on its way, once; and once more what it sends until it learns that it has lost its lease.
    // With the database all runners lose theirs.
    explained: (kills + 2 * suspensions + 2 * world.runners * restarts) * activities * parallel,
    listening,
    unrecorded: unrecorded.length,
    seconds: Math.round((performance.now() - start) / 100) / 10,
    wrong
  } satisfies Figures
})

const numbersOf = (size: number) =>
  size < partSize ? [0] : Result.getOrThrow(Part.plan(size, partSize)).parts

/** Runs a world on a database of its own. */
export const runOn = (server: string, name: string, world: Omit<World, "databaseUrl">) =>
  Effect.scoped(
    Effect.flatMap(database(server, name), (databaseUrl) =>
      Effect.provide(run({ ...world, databaseUrl }), layer(databaseUrl))
    )
  )

/** An OSS, and a client of the cluster. */
const layer = (databaseUrl: string) =>
  Layer.mergeAll(
    NodeCluster.layerClient.pipe(
      Layer.provideMerge(PgClient.layer({ url: Redacted.make(databaseUrl), maxConnections: 2 }))
    ),
    OssEmulator.layer({ credentials: [{ accessKeyId: keyId, accessKeySecret: secret }] }),
    NodeHttpClient.layerNodeHttp,
    NodeServices.layer
  )
