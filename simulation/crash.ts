/**
 * One upload, stopped where one likes, as often as one likes, and run to its
 * end after that. Nothing here depends on chance but what a loss of power
 * leaves, and that on the stop alone.
 */
import { assert } from "@effect/vitest"
import * as Part from "@effect-oss/core/Part"
import * as Source from "@effect-oss/core/Source"
import type { UploadError } from "@effect-oss/core/Upload"
import type { UploadResult } from "@effect-oss/core/UploadEvent"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Dice from "./Dice.ts"
import * as Disk from "./Disk.ts"
import * as Inode from "./Inode.ts"
import * as Kernel from "./Kernel.ts"
import * as Machine from "./Machine.ts"
import type { Point } from "./Process.ts"
import * as Process from "./Process.ts"
import * as Server from "./Server.ts"

/**
 * How a process ends at a point: killed, while what it has sent is lost or is
 * still carried out; by a loss of power that keeps nothing that was not synced,
 * or what chance keeps. `AnswerLost` is not its end: it has to cope.
 */
export type Ending =
  | "KilledAndCut"
  | "KilledAndCarriedOut"
  | "PowerLost"
  | { readonly powerLostWithLuck: number }
  | "AnswerLost"

export interface Stop {
  readonly at: number
  readonly ending: Ending
}

export interface Report {
  /** Those that each run passed, the last one included. */
  readonly points: ReadonlyArray<ReadonlyArray<Point>>
  /** Stops that were reached. */
  readonly stopped: number
}

export const partSize = Part.minPartSize
const key = "backups/db.tar"
const path = "/data/db.tar"

/** `parts` of them, the last one short. */
export const contentOf = (parts: number): Uint8Array => {
  const dice = Dice.make(parts)
  const words = Uint32Array.from({ length: ((parts - 1) * partSize) / 4 + 250 }, () =>
    dice.int(0, 0xffffffff)
  )
  return new Uint8Array(words.buffer)
}

/** Longer than a lease lasts whose holder can't be seen, in milliseconds. */
const leaseTime = 61_000
const aDay = 86_400_000

/** Runs the upload until it is stopped for the last time, then to its end, and makes sure that all is well. */
export const survive = (content: Uint8Array, stops: ReadonlyArray<Stop>): Report => {
  const kernel = Kernel.make()
  const disk = Disk.make(kernel.now)
  const server = Server.make(kernel)
  const machine = Machine.make("web-1")
  disk.put(path, content, "Renamed")
  const points: Array<Array<Point>> = []
  const underWay: Array<ReadonlySet<number>> = []
  const sends = new Map<number, number>()
  const allParts = new Set(
    Array.from({ length: Math.ceil(content.length / partSize) }, (_, n) => n + 1)
  )
  let stopped = 0
  let powerLost = false

  /** Who is stopped after that has nothing left to carry on with, and begins anew. */
  const isOver = () =>
    server.object(key) !== undefined &&
    !disk.files(Process.directory).some((file) => file.endsWith(".journal"))

  const run = (stop: Stop | undefined) => {
    const passed: Array<Point> = []
    points.push(passed)
    let exit: Exit.Exit<UploadResult | undefined, UploadError> | undefined
    const process = Process.start({
      name: `run ${points.length}`,
      kernel,
      disk,
      server,
      machine,
      dice: Dice.make(points.length),
      request: { key, source: Source.file(path), partSize, concurrency: 3 },
      travel: () => 0,
      stray: () => (stop?.ending === "KilledAndCarriedOut" ? { after: 0 } : "Cut"),
      onPoint: (point, number) => {
        passed.push(point)
        if (point.moment === "sent" && point.partNumber !== undefined) {
          sends.set(point.partNumber, (sends.get(point.partNumber) ?? 0) + 1)
        }
        if (stop?.at !== number) return "Go"
        stopped++
        if (stop.ending !== "AnswerLost") return "Die"
        underWay.push(new Set(process.partsUnderWay()))
        return "Lose"
      },
      onCarriedOut: () => undefined,
      onEvent: () => undefined,
      onLog: () => undefined,
      onExit: (ended) => {
        exit = ended
      }
    })
    const halt = kernel.run(() => exit !== undefined || !process.isAlive(), kernel.now() + aDay)
    assert.strictEqual(halt, "Done", "it neither hangs nor spins")
    if (exit !== undefined) kernel.run(() => process.lane.pending() === 0, kernel.now() + 1)
    // What is on its way arrives before anybody tries again.
    kernel.pass(0)
    if (!process.isAlive()) {
      underWay.push(isOver() ? allParts : new Set(process.partsUnderWay()))
      return undefined
    }
    assert.deepStrictEqual(process.holds(), { handles: 0, turns: 0, calls: 0 })
    return exit
  }

  const losePower = (ending: Ending) => {
    machine.boot++
    powerLost = true
    disk.crash(
      typeof ending === "object"
        ? Inode.chanceOf(Dice.make(ending.powerLostWithLuck))
        : Inode.nothingKept
    )
  }

  let result: UploadResult | undefined
  for (const stop of [...stops, undefined]) {
    const exit = toItsEnd(stop)
    if (exit !== undefined) {
      result = succeeded(exit)
      break
    }
    if (stop?.ending === "PowerLost" || typeof stop?.ending === "object") losePower(stop.ending)
  }

  /** A lease from before the loss of power can't be judged: it has to run out. */
  function toItsEnd(stop: Stop | undefined) {
    const exit = run(stop)
    if (exit === undefined || !powerLost || !isBusy(exit)) return exit
    kernel.pass(leaseTime)
    points.pop()
    return run(stop)
  }

  const object = server.object(key)
  assert.isTrue(result?.verified, "the result is verified")
  assert.strictEqual(object?.crc64, result?.crc64)
  assert.isTrue(same(object, content), "the object is the source")
  assert.deepStrictEqual(server.uploads(), [], "no upload is left on the server")
  assert.deepStrictEqual(disk.files(Process.directory), [], "no file is left in the store")
  for (const [part, times] of sends) {
    const excuses = underWay.filter((parts) => parts.has(part)).length
    assert.isAtMost(times, 1 + excuses, `part ${part} is sent again only if it was under way`)
  }
  return { points, stopped }
}

const succeeded = (exit: Exit.Exit<UploadResult | undefined, UploadError>) =>
  Exit.isSuccess(exit) ? exit.value : assert.fail(Cause.pretty(exit.cause))

const isBusy = (exit: Exit.Exit<unknown, UploadError>) =>
  Exit.isFailure(exit) &&
  Option.exists(
    Cause.findErrorOption(exit.cause),
    (error) => error._tag === "CheckpointError" && error.reason._tag === "Busy"
  )

const same = (object: ReturnType<Server.Server["object"]>, content: Uint8Array) =>
  object !== undefined && Buffer.compare(Server.bytesOf(object), content) === 0
