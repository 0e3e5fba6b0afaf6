/**
 * The processes of a comparison: the sink for as long as the scope is open, and
 * one process for each run of a contender, which is measured as a whole, from
 * its start to its end.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { buildSync } from "esbuild"
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { SinkOptions } from "./Protocol.ts"
import { Report, Stats, type Task } from "./Protocol.ts"

/** The sink, and what it has seen since it was last asked. */
export interface Sink {
  readonly endpoint: string
  readonly stats: Effect.Effect<Stats>
}

const here = join(import.meta.dirname, "..")

const env = {
  ...process.env,
  // As in an installed program, where nothing is compiled anew at each start.
  NODE_COMPILE_CACHE: join(tmpdir(), "effect-oss-bench-cache"),
  OSS_ACCESS_KEY_ID: "id",
  OSS_ACCESS_KEY_SECRET: "secret"
}

const Address = Schema.fromJsonString(
  Schema.Struct({ port: Schema.Finite, control: Schema.Finite })
)

/** Starts a sink. */
export const sink = Effect.fnUntraced(function* (options: SinkOptions) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [join(here, "sink.ts"), JSON.stringify(options)], {
        stdio: ["pipe", "pipe", "inherit"],
        env
      })
    ),
    (child) => Effect.sync(() => child.kill())
  )
  const line = yield* Effect.callback<string>((resume) => {
    child.stdout.once("data", (bytes: Buffer) => resume(Effect.succeed(bytes.toString())))
  })
  const { port, control } = yield* Schema.decodeEffect(Address)(line)
  const endpoint = `${options.certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`
  const stats = Effect.promise(() =>
    fetch(`http://127.0.0.1:${control}/-/stats`).then((answer) => answer.json())
  )
  const sink: Sink = {
    endpoint,
    stats: Effect.orDie(Effect.flatMap(stats, Schema.decodeUnknownEffect(Stats)))
  }
  return sink
})

/** What one run of a contender came to. */
export interface Run extends Report {
  readonly wallMillis: number
  /** From the start of the process to the first byte of data at the sink; 0 if none came. */
  readonly firstByteMillis: number
  readonly sink: Stats
}

/** A program to run. */
export interface Command {
  /** Node's. */
  readonly args: ReadonlyArray<string>
  /** Its standard input: ten thousand files are too many for an argument. */
  readonly input?: string
  /** The file of a certificate to trust. */
  readonly trusted?: string | undefined
}

/** The command that runs a contender at a task: in one file each, as programs are deployed. */
export const contender = (name: string, task: Task): Command => ({
  args: [join((bundles ??= bundle()), `${name}.mjs`)],
  input: JSON.stringify(task)
})

/** The same in as many files as it was written in. */
export const unbundled = (name: string, task: Task): Command => ({
  args: [join(here, "contenders", `${name}.ts`)],
  input: JSON.stringify(task)
})

let bundles: string | undefined

/** CommonJS packages ask for Node's modules by `require`, and use what is out of date. */
const banner = `import { createRequire as requireFor } from "node:module"
const require = requireFor(import.meta.url)
process.noDeprecation = true`

/** All contenders, in a directory that is gone when this process ends. */
const bundle = (): string => {
  const outdir = mkdtempSync(join(tmpdir(), "effect-oss-bench-"))
  process.on("exit", () => rmSync(outdir, { recursive: true }))
  const contenders = join(here, "contenders")
  buildSync({
    entryPoints: readdirSync(contenders).map((file) => join(contenders, file)),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22.19",
    banner: { js: banner },
    // urllib, of ali-oss, looks for it, and does without.
    external: ["proxy-agent"],
    logLevel: "error"
  })
  return outdir
}

/** Runs a program, and fails if it doesn't end as it should. */
export const run = Effect.fnUntraced(function* (command: Command, sink: Sink) {
  yield* sink.stats
  const start = now()
  const { output, code, end } = yield* execute(command)
  if (code !== 0) {
    return yield* Effect.die(new Error(`${command.args.join(" ")} ended with ${code}: ${output}`))
  }
  const report = yield* Effect.orDie(reportIn(output))
  const stats = yield* sink.stats
  const run: Run = {
    ...report,
    wallMillis: end - start,
    firstByteMillis: Math.max(0, stats.firstByteAt - start),
    sink: stats
  }
  return run
})

/** The clock that the sink uses too, in milliseconds. */
const now = () => Number(process.hrtime.bigint() / 1_000n) / 1_000

const execute = ({ args, input = "", trusted }: Command) =>
  Effect.callback<{ readonly output: string; readonly code: number; readonly end: number }>(
    (resume) => {
      const child = spawn(process.execPath, args, {
        stdio: ["pipe", "pipe", "inherit"],
        env: trusted === undefined ? env : { ...env, NODE_EXTRA_CA_CERTS: trusted }
      })
      child.stdin.end(input)
      let output = ""
      child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()))
      child.on("close", (code) => {
        resume(Effect.succeed({ output, code: code ?? -1, end: now() }))
      })
      return Effect.sync(() => child.kill())
    }
  )

/** Programs that don't report, such as the command line's, are measured by the clock alone. */
const reportIn = (output: string) => {
  const line = output.split("\n").findLast((line) => line.startsWith("report "))
  return line === undefined
    ? Effect.succeed({ cpuMillis: 0, peakMiB: 0 })
    : Schema.decodeEffect(Schema.fromJsonString(Report))(line.slice("report ".length))
}
