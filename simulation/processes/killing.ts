/**
 * Real processes: the `effect-oss` command uploads to an emulator over HTTP,
 * and is killed at random moments until it gets through. The moments come from
 * a seed; the timing of the system does not, so that a seed repeats the plan
 * and not the events.
 */
import { spawn } from "node:child_process"
import * as Part from "@effect-oss/core/Part"
import * as Fault from "@effect-oss/emulator/Fault"
import * as OssEmulator from "@effect-oss/emulator/OssEmulator"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { SeededRandom } from "../kernel/random.ts"
import * as Random from "../kernel/random.ts"
import { bin } from "../../test/support/bin.ts"

export interface Figures {
  readonly rounds: number
  /** Of processes that were still running. */
  readonly kills: number
  /** Of the objects, all of them compared with their files. */
  readonly bytes: number
  readonly partsSent: number
  readonly partsResent: number
}

const bucket = "soak"

const Line = Schema.fromJsonString(
  Schema.Struct({
    _tag: Schema.String,
    bytes: Schema.optionalKey(Schema.Finite),
    durable: Schema.optionalKey(Schema.Finite)
  })
)
const decodeLine = Schema.decodeUnknownOption(Line)

interface Ended {
  /** The exit code, or null if it was killed. */
  readonly code: number | null
  readonly lines: ReadonlyArray<typeof Line.Type>
  readonly error: string
}

/** Runs the command, and kills it after `millis` milliseconds. */
const run = (args: ReadonlyArray<string>, env: Record<string, string>, millis: number) =>
  Effect.callback<Ended>((resume) => {
    const child = spawn(process.execPath, [bin, ...args], {
      env,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let out = ""
    let error = ""
    const timer = setTimeout(() => child.kill("SIGKILL"), millis)
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (error += text))
    child.on("close", (code) => {
      clearTimeout(timer)
      const lines = out.split("\n").flatMap((line) => Option.toArray(decodeLine(line)))
      resume(Effect.succeed({ code, lines, error }))
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const lastDurable = ({ lines }: Ended) =>
  Math.max(0, ...lines.map(({ _tag, durable = 0 }) => (_tag === "PartUploaded" ? durable : 0)))

const resumed = ({ lines }: Ended) => lines.find(({ _tag }) => _tag === "Resumed")?.bytes ?? 0

/** OSS has told it what there is: whatever it goes on with has been reported. */
const wasAnswered = ({ lines }: Ended) =>
  lines.some(({ _tag }) => _tag === "PartUploaded" || _tag === "Resumed")

const ensure = (holds: boolean, what: string) => (holds ? Effect.void : Effect.die(new Error(what)))

/** Runs rounds until so many seconds or kills are over, and finishes the last round. */
export const soak = (options: {
  readonly seed: number
  readonly seconds: number
  readonly kills: number
}): Effect.Effect<Figures> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oss-soak-" })
    const emulator = yield* OssEmulator.OssEmulator
    // A part takes its time, so that there is something to kill.
    yield* emulator.inject(
      Fault.delay({ operation: "uploadPart", millis: 30, times: Infinity }),
      Fault.delay({ operation: "complete", millis: 60, at: "after", times: Infinity })
    )
    const random = Random.make(options.seed)
    const end = (yield* Clock.currentTimeMillis) + options.seconds * 1_000
    const figures = { rounds: 0, kills: 0, bytes: 0, partsSent: 0, partsResent: 0 }
    const isOver = Effect.map(
      Clock.currentTimeMillis,
      (now) => now >= end || figures.kills >= options.kills
    )
    while (!(yield* isOver)) {
      const result = yield* round({ random, directory, emulator, number: figures.rounds, isOver })
      figures.rounds++
      figures.kills += result.kills
      figures.bytes += result.bytes
      figures.partsSent += result.partsSent
      figures.partsResent += result.partsResent
    }
    return figures
  }).pipe(
    Effect.provide([OssEmulator.layer({ buckets: [bucket] }), NodeServices.layer]),
    Effect.scoped,
    Effect.orDie
  )

/** One file, from nothing to an object. */
const round = Effect.fnUntraced(function* (world: {
  readonly random: SeededRandom
  readonly directory: string
  readonly emulator: OssEmulator.OssEmulator["Service"]
  readonly number: number
  readonly isOver: Effect.Effect<boolean>
}) {
  const { random, directory, emulator, number, isOver } = world
  const fs = yield* FileSystem.FileSystem
  const parts = random.int(5, 120)
  const parallel = random.int(1, 5)
  const bytes = Uint8Array.from({ length: parts * Part.minPartSize - random.int(0, 9_999) }, () =>
    random.int(0, 255)
  )
  const path = `${directory}/file-${number}`
  const checkpoints = `${directory}/checkpoints`
  yield* fs.writeFile(path, bytes)
  const key = `file-${number}`
  const args = ["upload", path, `oss://${bucket}/${key}`, "--json", "--no-progress"]
  const flags = ["--part-size", "100KiB", "--parallel", `${parallel}`]
  const env = {
    OSS_ENDPOINT: emulator.url,
    OSS_PATH_STYLE: "true",
    OSS_ACCESS_KEY_ID: "id",
    OSS_ACCESS_KEY_SECRET: "secret",
    HOME: directory
  }
  let kills = 0
  let durable = 0
  while (true) {
    const patience = (yield* isOver) ? 600_000 : random.int(200, 3_000)
    const all = [...args, ...flags, "--checkpoint-dir", checkpoints]
    const ended = yield* run(all, env, patience)
    // Only a run that finds its work done, and no checkpoint any more, may begin again.
    const isAnew = wasAnswered(ended) && Option.isSome(yield* emulator.object(bucket, key))
    if (isAnew && resumed(ended) === 0) durable = 0
    yield* ensure(
      !wasAnswered(ended) || resumed(ended) >= durable,
      `${key}: ${durable} bytes were durable, ${resumed(ended)} are used`
    )
    durable = Math.max(durable, lastDurable(ended))
    if (ended.code === 0) break
    yield* ensure(ended.code === null, `${key}: exit code ${ended.code}: ${ended.error}`)
    kills++
  }
  const object = Option.getOrThrow(yield* emulator.object(bucket, key))
  yield* ensure(Buffer.compare(yield* object.bytes, bytes) === 0, `${key} differs from its file`)
  yield* ensure((yield* emulator.uploads(bucket)).length === 0, `${key}: an upload is left`)
  const left = (yield* fs.readDirectory(checkpoints, { recursive: true })).filter((path) =>
    path.includes(".")
  )
  yield* ensure(left.length === 0, `${key}: files are left in the store: ${left.join(" ")}`)
  const log = yield* emulator.log
  const partsSent = log.filter(
    (entry) => entry.key === key && entry.operation === "uploadPart"
  ).length
  // A kill after the end starts over: the command can't know that it was through.
  const again = log.filter((entry) => entry.key === key && entry.operation === "initiate").length
  const most = parts * Math.max(1, again) + kills * parallel
  yield* ensure(partsSent <= most, `${key}: ${partsSent} parts sent, ${most} are explained`)
  yield* fs.remove(path)
  yield* emulator.deleteObject(bucket, key)
  return { kills, bytes: bytes.length, partsSent, partsResent: partsSent - parts }
})
