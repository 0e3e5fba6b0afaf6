/**
 * One upload, stopped at given points, as often as given, and run to its end
 * after that. Nothing here is random except what a loss of power leaves, and
 * that depends on the stop alone.
 */
import { assert } from "@effect/vitest"
import { createHash } from "node:crypto"
import * as Part from "@effect-oss/core/Part"
import * as RetryPolicy from "@effect-oss/core/RetryPolicy"
import type { UploadError } from "@effect-oss/core/Upload"
import type { UploadResult } from "@effect-oss/core/UploadEvent"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Random from "../kernel/random.ts"
import * as Disk from "../kernel/disk.ts"
import * as Inode from "../kernel/inode.ts"
import * as Scheduler from "../kernel/scheduler.ts"
import * as Host from "../kernel/host.ts"
import * as SourceFiles from "../kernel/sourceFiles.ts"
import type { Point } from "../kernel/process.ts"
import * as Process from "../kernel/process.ts"
import * as Server from "../kernel/server.ts"

/**
 * What happens at a point. `KilledAndCut` kills the process, and its requests
 * are lost; `KilledAndCarriedOut` kills it, and the server still carries them
 * out. `PowerLost` keeps nothing that was not synced; `powerLostWithLuck` keeps
 * a random part of it. `Interrupted` interrupts the process, which ends by
 * itself. With `AnswerLost` the process goes on without that answer.
 */
export type Ending =
  | "KilledAndCut"
  | "KilledAndCarriedOut"
  | "PowerLost"
  | { readonly powerLostWithLuck: number }
  | "Interrupted"
  | "AnswerLost"

/** A point is counted from the start of its run: a new run begins after each stop, except after a lost answer. */
export interface Stop {
  readonly at: number
  readonly ending: Ending
}

export interface Report {
  /** The points that each run passed, including the last run. */
  readonly points: ReadonlyArray<ReadonlyArray<Point>>
  /** The number of stops that were reached. */
  readonly stopped: number
  /** The state that each stopped run has left, as a digest. Equal states have equal futures. */
  readonly remains: ReadonlyArray<string>
  /** For each point of the last run: the state that a stop by `next` would leave there. */
  readonly foreseen: ReadonlyArray<string>
}

export interface Options {
  /** States from which the upload is known to end well: it is not run again from them. */
  readonly settled?: ReadonlySet<string>
  /** The state that the last stop has to leave, if it was foreseen. */
  readonly foreseen?: string
  readonly next?: Ending
  /** Whether `next` is the last stop. */
  readonly isLast?: boolean
}

/** What is uploaded, and how it is read. */
export interface Subject {
  readonly content: Uint8Array
  readonly access: SourceFiles.Access
}

export const partSize = Part.minPartSize
const key = "backups/db.tar"
const path = "/data/db.tar"

/** `parts` of them, the last one short. */
export const contentOf = (parts: number): Uint8Array => {
  const random = Random.make(parts)
  const words = Uint32Array.from({ length: ((parts - 1) * partSize) / 4 + 250 }, () =>
    random.int(0, 0xffffffff)
  )
  return new Uint8Array(words.buffer)
}

const aDay = 86_400_000

/** No time may pass between two attempts: equal states would look different. */
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
  isWell(scene, result, stops.length)
  return report()
}

/** Everything that outlives a process. */
interface Scene extends Subject {
  readonly scheduler: Scheduler.Scheduler
  readonly disk: Disk.Disk
  readonly server: Server.Server
  readonly host: Host.Host
  /** How often each part may still be sent, by number. */
  readonly allowed: Map<number, number>
  /** These parts may have been lost, and may be sent once more. */
  readonly allow: (parts: Iterable<number>) => void
  /** What was under access at the end of a process may have been lost. */
  readonly excuse: (process: Process.Process) => void
  readonly losePower: (ending: Ending) => void
  /** Everything that can matter from now on, as a digest. */
  readonly describe: (aspect: Inode.Aspect) => string
}

const sceneOf = (subject: Subject): Scene => {
  const { content } = subject
  const scheduler = Scheduler.make()
  const disk = Disk.make(scheduler.now)
  const server = Server.make(scheduler)
  const host = Host.make("web-1")
  disk.put(path, content, "Renamed")
  // The file is old enough that the library does not wait for another change of it.
  scheduler.pass(aDay)
  const count = Math.ceil(content.length / partSize)
  const allowed = new Map(Array.from({ length: count }, (_, n) => [n + 1, 1]))
  const allow: Scene["allow"] = (parts) => {
    for (const part of parts) allowed.set(part, Math.max(allowed.get(part) ?? 0, 1))
  }
  /** A run that is stopped after that has nothing to resume, and the next one starts afresh. */
  const isOver = () => server.object(key) !== undefined && !filesOf(disk).some(isJournal)
  return {
    ...subject,
    scheduler,
    disk,
    server,
    host,
    allowed,
    allow,
    excuse: (process) => allow(isOver() ? allowed.keys() : process.partsUnderWay()),
    losePower: (ending) => {
      host.boot++
      disk.crash(
        typeof ending === "object"
          ? Inode.chanceOf(Random.make(ending.powerLostWithLuck))
          : Inode.nothingKept
      )
    },
    describe: (aspect) =>
      digest([
        scheduler.now(),
        host.boot + (aspect === "Durable" ? 1 : 0),
        Array.from(allowed),
        server.describe(key),
        disk.describe("/work", aspect)
      ])
  }
}

/** Decides what happens to a process at a point, if anything. */
type OnPoint = (process: Process.Process, number: number) => Ending | undefined

/** Runs one process to its end; returns what stopped it, or how it ended by itself. */
const run = (scene: Scene, number: number, onPoint: OnPoint) => {
  const { scheduler, disk, server, host, allowed, access } = scene
  const passed: Array<Point> = []
  const before = new Set(filesOf(disk))
  let ending: Ending | undefined
  let exit: Exit.Exit<UploadResult | undefined, UploadError> | undefined
  const source = SourceFiles.sourceOf(path, access)
  const process: Process.Process = Process.start({
    name: `run ${number}`,
    scheduler,
    disk,
    server,
    host,
    random: Random.make(number),
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
  const halt = scheduler.run(() => exit !== undefined || !process.isAlive(), scheduler.now() + aDay)
  assert.strictEqual(halt, "Done", "it neither hangs nor spins")
  if (exit !== undefined) holdsNothing(scene, process, before)
  // Requests that still travel arrive before the next run.
  scheduler.pass(0)
  if (ending !== undefined) scene.excuse(process)
  return { passed, ending, exit }
}

/** A process that has ended holds nothing, and leaves no new files except journals. */
const holdsNothing = (
  { scheduler, disk }: Scene,
  process: Process.Process,
  before: ReadonlySet<string>
) => {
  scheduler.run(() => process.lane.pending() === 0, scheduler.now() + 1)
  assert.deepStrictEqual(process.holds(), { handles: 0, turns: 0, calls: 0, leases: 0 })
  const left = filesOf(disk).filter((file) => !isJournal(file) && !before.has(file))
  assert.deepStrictEqual(left, [], "it leaves journals alone")
}

const filesOf = (disk: Disk.Disk) => disk.files(Process.directory)

/**
 * The state that a stop would leave. A killed process leaves things as they
 * are, unless the server is just carrying out a request of it. For the other
 * endings a name of the point does: it is equal only for the same point.
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

/** Whether something is durable matters only if power is lost. */
const aspectOf = (ending: Ending, isLast: boolean): Inode.Aspect => {
  if (ending === "PowerLost") return "Durable"
  return isLast && typeof ending === "string" ? "Seen" : "All"
}

const isWell = ({ server, disk, content, allowed }: Scene, result: UploadResult, stops: number) => {
  const object = server.object(key)
  assert.isTrue(result.verified, "the result is verified")
  assert.strictEqual(object?.crc64, result.crc64)
  assert.isTrue(same(object, content), "the object is the source")
  // A stop between Initiate and its record leaves an id that looks like anybody's fresh upload.
  const uploads = server.uploads()
  assert.isAtMost(uploads.length, stops, "a stop leaves one upload at most")
  assert.isTrue(
    uploads.every(({ parts }) => parts.length === 0),
    "no upload with parts is left on the server"
  )
  assert.deepStrictEqual(filesOf(disk), [], "no file is left in the store")
  disk.crash(Inode.nothingKept)
  assert.isFalse(filesOf(disk).some(isJournal), "no checkpoint comes back")
  for (const [part, more] of allowed) {
    assert.isAtLeast(more, 0, `part ${part} is sent again only if it was under access`)
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
