/**
 * One upload, stopped where one likes, as often as one likes, and run to its
 * end after that. Nothing here depends on chance but what a loss of power
 * leaves, and that on the stop alone.
 */
import { assert } from "@effect/vitest"
import { createHash } from "node:crypto"
import * as Part from "@effect-oss/core/Part"
import * as RetryPolicy from "@effect-oss/core/RetryPolicy"
import type { UploadError } from "@effect-oss/core/Upload"
import type { UploadResult } from "@effect-oss/core/UploadEvent"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Dice from "./Dice.ts"
import * as Disk from "./Disk.ts"
import * as Inode from "./Inode.ts"
import * as Kernel from "./Kernel.ts"
import * as Machine from "./Machine.ts"
import * as Originals from "./Originals.ts"
import type { Point } from "./Process.ts"
import * as Process from "./Process.ts"
import * as Server from "./Server.ts"

/**
 * What happens at a point. A process is killed, while what it has sent is lost
 * or is still carried out; it ends by a loss of power that keeps nothing that
 * was not synced, or what chance keeps; it is interrupted, and comes to its end
 * by itself. With `AnswerLost` it goes on: it has to cope.
 */
export type Ending =
  | "KilledAndCut"
  | "KilledAndCarriedOut"
  | "PowerLost"
  | { readonly powerLostWithLuck: number }
  | "Interrupted"
  | "AnswerLost"

/** The point is counted from the beginning of the run that it is in: the one after the last stop, or the same if that one had an answer lost. */
export interface Stop {
  readonly at: number
  readonly ending: Ending
}

export interface Report {
  /** Those that each run passed, the last one included. */
  readonly points: ReadonlyArray<ReadonlyArray<Point>>
  /** Stops that were reached. */
  readonly stopped: number
  /** What each run that was stopped has left. From equal remains the same follows. */
  readonly remains: ReadonlyArray<string>
  /** What the last run would have left, stopped in the `next` way at each of its points behind the stops. Equal where it would be equal. */
  readonly foreseen: ReadonlyArray<string>
}

export interface Options {
  /** Remains from which the upload has been seen to come to a good end: it is not run again. */
  readonly settled?: ReadonlySet<string>
  /** What the last stop has to leave, if that was foreseen. */
  readonly foreseen?: string
  readonly next?: Ending
  /** Whether nothing is to stop the upload after that. */
  readonly isLast?: boolean
}

/** What is uploaded, and how it is read. */
export interface Subject {
  readonly content: Uint8Array
  readonly way: Originals.Way
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

const aDay = 86_400_000

/** Time must not pass between two attempts: else what is the same would look different. */
const retry = RetryPolicy.backoff({ base: 0 })

/** Runs the upload until it is stopped for the last time, then to its end, and makes sure that all is well. */
export const survive = (
  subject: Subject,
  stops: ReadonlyArray<Stop>,
  options: Options = {}
): Report => {
  const { settled, foreseen = "", next, isLast = false } = options
  const scene = sceneOf(subject)
  const left = [...stops]
  const points: Array<ReadonlyArray<Point>> = []
  const remains: Array<string> = []
  let foresight: Array<string> = []
  const report = () => {
    const stopped = stops.length - left.length
    return { points, stopped, remains, foreseen: foresight }
  }

  const onPoint: OnPoint = (process, number) => {
    if (next !== undefined && left.length === 0) {
      const place = [stops, number]
      foresight.push(foresee(scene, process, { ending: next, isLast, place }))
    }
    return left[0]?.at === number ? left.shift()?.ending : undefined
  }

  let result: UploadResult | undefined
  while (result === undefined) {
    foresight = []
    const { passed, ending, exit } = run(scene, points.length + 1, onPoint)
    points.push(passed)
    if (exit === undefined || (ending === "Interrupted" && isInterrupted(exit))) {
      if (ending === "PowerLost" || typeof ending === "object") scene.losePower(ending)
      const remaining = scene.describe("Seen")
      remains.push(remaining)
      if (left.length > 0) continue
      if (isDigest(foreseen)) assert.strictEqual(remaining, foreseen, "it leaves what was foreseen")
      if (settled?.has(remaining) === true) return report()
    } else {
      result = succeeded(exit)
    }
  }
  isWell(scene, result)
  return report()
}

/** All that outlives a process. */
interface Scene extends Subject {
  readonly kernel: Kernel.Kernel
  readonly disk: Disk.Disk
  readonly server: Server.Server
  readonly machine: Machine.Machine
  /** How often each part may be sent, by number, less how often it was. */
  readonly allowed: Map<number, number>
  /** What may have been lost may be sent once more. */
  readonly allow: (parts: Iterable<number>) => void
  /** What was under way at the end of a process may have been lost. */
  readonly excuse: (process: Process.Process) => void
  readonly losePower: (ending: Ending) => void
  /** All that can matter from now on. */
  readonly describe: (aspect: Inode.Aspect) => string
}

const sceneOf = (subject: Subject): Scene => {
  const { content } = subject
  const kernel = Kernel.make()
  const disk = Disk.make(kernel.now)
  const server = Server.make(kernel)
  const machine = Machine.make("web-1")
  disk.put(path, content, "Renamed")
  // Nobody waits to see whether it changes again.
  kernel.pass(aDay)
  const count = Math.ceil(content.length / partSize)
  const allowed = new Map(Array.from({ length: count }, (_, n) => [n + 1, 1]))
  const allow: Scene["allow"] = (parts) => {
    for (const part of parts) allowed.set(part, Math.max(allowed.get(part) ?? 0, 1))
  }
  /** Who is stopped after that has nothing left to carry on with, and begins anew. */
  const isOver = () => server.object(key) !== undefined && !filesOf(disk).some(isJournal)
  return {
    ...subject,
    kernel,
    disk,
    server,
    machine,
    allowed,
    allow,
    excuse: (process) => allow(isOver() ? allowed.keys() : process.partsUnderWay()),
    losePower: (ending) => {
      machine.boot++
      disk.crash(
        typeof ending === "object"
          ? Inode.chanceOf(Dice.make(ending.powerLostWithLuck))
          : Inode.nothingKept
      )
    },
    describe: (aspect) =>
      digest([
        kernel.now(),
        machine.boot + (aspect === "Durable" ? 1 : 0),
        Array.from(allowed),
        server.describe(key),
        disk.describe("/work", aspect)
      ])
  }
}

/** What is to happen to a process at a point, if anything. */
type OnPoint = (process: Process.Process, number: number) => Ending | undefined

/** One process, to its end, whatever that is; yields what stopped it, or how it ended by itself. */
const run = (scene: Scene, number: number, onPoint: OnPoint) => {
  const { kernel, disk, server, machine, allowed, way } = scene
  const passed: Array<Point> = []
  const before = new Set(filesOf(disk))
  let ending: Ending | undefined
  let exit: Exit.Exit<UploadResult | undefined, UploadError> | undefined
  const source = Originals.sourceOf(path, way)
  const process: Process.Process = Process.start({
    name: `run ${number}`,
    kernel,
    disk,
    server,
    machine,
    dice: Dice.make(number),
    work: { upload: { key, source, partSize, concurrency: 3, retry } },
    travel: () => 0,
    stray: () => (ending === "KilledAndCarriedOut" ? { after: 0 } : "Cut"),
    onPoint: (point, at) => {
      passed.push(point)
      const { partNumber = 0 } = "path" in point ? {} : point
      if (point.moment === "sent" && allowed.has(partNumber)) {
        allowed.set(partNumber, (allowed.get(partNumber) ?? 0) - 1)
      }
      const what = ending === undefined ? onPoint(process, at) : undefined
      if (what === undefined) return "Go"
      if (what === "AnswerLost") {
        scene.allow(process.partsUnderWay())
        return "Lose"
      }
      ending = what
      return what === "Interrupted" ? "Interrupt" : "Die"
    },
    onCarriedOut: () => undefined,
    onEvent: () => assert.isUndefined(exit, "no event comes after the end"),
    onLog: () => undefined,
    onExit: (ended) => {
      exit = ended
    }
  })
  const halt = kernel.run(() => exit !== undefined || !process.isAlive(), kernel.now() + aDay)
  assert.strictEqual(halt, "Done", "it neither hangs nor spins")
  if (exit !== undefined) holdsNothing(scene, process, before)
  // What is on its way arrives before anybody tries again.
  kernel.pass(0)
  if (ending !== undefined) scene.excuse(process)
  return { passed, ending, exit }
}

/** Nor does it leave anything but journals that was not there before. */
const holdsNothing = (
  { kernel, disk }: Scene,
  process: Process.Process,
  before: ReadonlySet<string>
) => {
  kernel.run(() => process.lane.pending() === 0, kernel.now() + 1)
  assert.deepStrictEqual(process.holds(), { handles: 0, turns: 0, calls: 0, leases: 0 })
  const left = filesOf(disk).filter((file) => !isJournal(file) && !before.has(file))
  assert.deepStrictEqual(left, [], "it leaves journals alone")
}

const filesOf = (disk: Disk.Disk) => disk.files(Process.directory)

/**
 * Whoever is killed leaves things as they are, unless a request of his is just
 * being carried out. What else follows from a point need not be known: it is
 * the same for points at which everything is the same.
 */
const foresee = (
  scene: Scene,
  process: Process.Process,
  next: { readonly ending: Ending; readonly isLast: boolean; readonly place: unknown }
): string => {
  const { ending, isLast, place } = next
  const underWay = process.underWay()
  if (ending === "Interrupted" || ending === "AnswerLost" || underWay === undefined) {
    return JSON.stringify([ending, place])
  }
  const before = new Map(scene.allowed)
  scene.excuse(process)
  const left = scene.describe(aspectOf(ending, isLast))
  for (const [part, times] of before) scene.allowed.set(part, times)
  const isForeseeable =
    ending === "KilledAndCarriedOut" ? underWay === "[]" : typeof ending === "string"
  return isForeseeable ? left : JSON.stringify([ending, underWay, left])
}

/** What is durable matters only if power is lost. */
const aspectOf = (ending: Ending, isLast: boolean): Inode.Aspect => {
  if (ending === "PowerLost") return "Durable"
  return isLast && typeof ending === "string" ? "Seen" : "All"
}

const isWell = ({ server, disk, content, allowed }: Scene, result: UploadResult) => {
  const object = server.object(key)
  assert.isTrue(result.verified, "the result is verified")
  assert.strictEqual(object?.crc64, result.crc64)
  assert.isTrue(same(object, content), "the object is the source")
  assert.deepStrictEqual(server.uploads(), [], "no upload is left on the server")
  assert.deepStrictEqual(filesOf(disk), [], "no file is left in the store")
  disk.crash(Inode.nothingKept)
  assert.isFalse(filesOf(disk).some(isJournal), "no checkpoint comes back")
  for (const [part, more] of allowed) {
    assert.isAtLeast(more, 0, `part ${part} is sent again only if it was under way`)
  }
}

const isDigest = (text: string) => /^[0-9a-f]{32}$/.test(text)
const digest = (value: unknown) => createHash("md5").update(JSON.stringify(value)).digest("hex")

const isJournal = (file: string) => file.endsWith(".journal")

const succeeded = (exit: Exit.Exit<UploadResult | undefined, UploadError>) =>
  Exit.isSuccess(exit) && exit.value !== undefined
    ? exit.value
    : assert.fail(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "it has no result")

const isInterrupted = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)

const same = (object: ReturnType<Server.Server["object"]>, content: Uint8Array) =>
  object !== undefined && Buffer.compare(Server.bytesOf(object), content) === 0
