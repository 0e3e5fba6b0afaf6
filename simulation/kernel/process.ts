/**
 * A process of a world: one upload, or a sweep of old ones, over a real
 * checkpoint store on the simulated disk and a client of the simulated OSS. A
 * process passes a numbered point at each step that others could see; there it
 * may be delayed, suspended or killed. A killed process is gone at once: no
 * finalizer of it runs, its lease stays, and the server may still carry out some
 * of the requests that it has sent.
 */
import { OssClient } from "@effect-oss/core/OssClient"
import type { SourceError } from "@effect-oss/core/Source"
import * as Upload from "@effect-oss/core/Upload"
import type { UploadEvent, UploadResult } from "@effect-oss/core/UploadEvent"
import * as FsCheckpointStore from "@effect-oss/node-fs-store/FsCheckpointStore"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Path from "effect/Path"
import { Random } from "effect/Random"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import { readByFileSystem } from "../../packages/node-fs-store/src/internal/file.ts"
import { System } from "../../packages/node-fs-store/src/internal/process.ts"
import type * as Disk from "./disk.ts"
import type { Host } from "./host.ts"
import type { SeededRandom } from "./random.ts"
import type { Lane, Scheduler } from "./scheduler.ts"
import type { Server } from "./server.ts"
import type { Call, Line, Stray, Verdict } from "./wire.ts"
import * as Thread from "../../packages/core/src/internal/slots/thread.ts"
import * as Wire from "./wire.ts"

export type { Call, Line, Stray, Verdict } from "./wire.ts"

/** The directory of the checkpoints on the simulated disk. */
export const directory = "/work/checkpoints"

/** A step of a process that others could see. */
export type Point = Disk.Operation | Call

/** What a process does: upload, or give up uploads that are older than some milliseconds. */
export type Work =
  | { readonly upload: Upload.UploadRequest<SourceError, FileSystem> }
  | { readonly sweep: number }

export interface Options {
  readonly name: string
  readonly scheduler: Scheduler
  readonly disk: Disk.Disk
  readonly server: Server
  readonly host: Host
  readonly random: SeededRandom
  readonly work: Work
  /** The directory of its checkpoints. */
  readonly directory?: string
  /** The id of a process that runs already and lives on, for a worker thread of it. Default: a new process. */
  readonly pid?: number | undefined
  /** Marks the uploads of this process. Default: not marked. */
  readonly tag?: string | undefined
  /** The line to the server. Default: one that takes no time for the bytes. */
  readonly line?: Line | undefined
  /** Called at each point, with its number, from 0. */
  readonly onPoint: (point: Point, number: number) => Verdict
  /** The time a request or an answer travels, in milliseconds. */
  readonly travel: () => number
  readonly stray: (call: Call) => Stray
  readonly onEvent: (event: UploadEvent) => void
  /** The server is done with a request; `awaited` if the process still waits for its answer. */
  readonly onCarriedOut: (call: Call, awaited: boolean) => void
  /** So many bytes of the body of an answer have been read over HTTP. */
  readonly onTaken?: ((call: Call, status: number, bytes: number) => void) | undefined
  readonly onLog: (line: string) => void
  readonly onExit: (exit: Exit.Exit<UploadResult | undefined, Upload.UploadError>) => void
}

export interface Process {
  readonly name: string
  readonly host: string
  readonly lane: Lane
  readonly pid: number
  readonly kill: () => void
  /** Kills this thread; the process that it belongs to lives on. */
  readonly killThread: () => void
  readonly isAlive: () => boolean
  /** Parts that are being sent, or are sent and not recorded yet. */
  readonly partsUnderWay: () => ReadonlySet<number>
  /** Its requests that travel to the server, as a JSON list; undefined while one is being carried out. */
  readonly underWay: () => string | undefined
  /** What it holds: none of it may be left once it has ended. */
  readonly holds: () => Holdings
}

export interface Holdings {
  readonly handles: number
  readonly turns: number
  readonly calls: number
  /** The disk may have refused to remove them. */
  readonly leases: number
}

export const start = (options: Options): Process => {
  const { name, scheduler, disk, server, host, random, travel, stray, onCarriedOut } = options
  const lane = scheduler.lane(name, { offset: () => host.clockOffset })
  const { pid = host.spawn(), line, tag } = options
  const { now } = scheduler
  const partsUnderWay = new Set<number>()
  const life = lifeOf(options, lane, pid, () => wire.abandon())
  const { isAlive, reach, pass } = life
  const { fileSystem, handles } = disk.view({ pass, proc: host.proc })
  const onPart = (number: number) => void partsUnderWay.add(number)
  const onTaken = options.onTaken ?? (() => undefined)
  const room = () => random.pick([1, 2, 4, 16])
  const sending = { lane, server, travel, stray, line, tag, now, room }
  const wire = Wire.make({ isAlive, reach, pass, onCarriedOut, onPart, onTaken, ...sending })

  const given = { ...options, lane, pid, fileSystem, client: wire.client, isAlive }
  const onEvent = (event: UploadEvent) => {
    if (!isAlive()) return
    if (event._tag === "PartUploaded") partsUnderWay.delete(event.number)
    options.onEvent(event)
  }
  lane.post(() => {
    const fiber = Effect.runForkWith(contextOf(given))(programOf(given, onEvent))
    life.run(fiber)
    fiber.addObserver((exit) => {
      if (!isAlive()) return
      if (options.pid === undefined) host.processes.delete(pid)
      options.onExit(exit)
    })
  })
  return {
    name,
    host: host.name,
    lane,
    pid,
    kill: life.kill,
    killThread: life.killThread,
    isAlive,
    partsUnderWay: () => partsUnderWay,
    underWay: wire.underWay,
    holds: () => ({
      handles: handles(),
      turns: lane.pending(),
      calls: wire.calls(),
      leases: leasesOf(disk, storeOf(options), `"pid":${pid},"host":"${host.name}"`)
    })
  }
}

/** Points, verdicts and death of a process. `onDeath` runs at most once. */
const lifeOf = (options: Options, lane: Lane, pid: number, onDeath: () => void) => {
  let points = 0
  let alive = true
  let running: Fiber.Fiber<unknown, unknown> | undefined

  const killThread = () => {
    if (!alive) return
    alive = false
    lane.halt()
    onDeath()
  }
  const kill = () => {
    options.host.processes.delete(pid)
    killThread()
  }
  const die = options.pid === undefined ? kill : killThread

  const reach = (point: Point): Verdict => {
    const verdict = alive ? options.onPoint(point, points++) : "Die"
    if (verdict === "Die") die()
    if (verdict === "Interrupt") lane.post(() => running?.interruptUnsafe())
    return verdict
  }

  const nextTurn = Effect.callback<void>((resume) => lane.post(() => resume(Effect.void)))

  const pass = (point: Point): Effect.Effect<void> =>
    Effect.suspend(() => {
      const verdict = reach(point)
      if (verdict === "Die") return Effect.never
      if (verdict === "Interrupt") return nextTurn
      return typeof verdict === "object" ? Effect.sleep(verdict.wait) : Effect.void
    })

  return {
    kill,
    killThread,
    isAlive: () => alive,
    reach,
    pass,
    run: (fiber: Fiber.Fiber<unknown, unknown>) => {
      running = fiber
    }
  }
}

const storeOf = ({ directory: given = directory }: Options) => given

const leasesOf = (disk: Disk.Disk, directory: string, holder: string) =>
  disk
    .files(directory)
    .filter((path) => path.endsWith(".lease"))
    .filter((path) => new TextDecoder().decode(disk.bytes(path)).includes(holder)).length

const programOf = (
  given: Options & { readonly fileSystem: FileSystem },
  onEvent: (event: UploadEvent) => void
) => {
  const { work, fileSystem } = given
  const store = Layer.provide(
    FsCheckpointStore.layer({ directory: storeOf(given) }),
    Layer.merge(Layer.succeed(FileSystem, fileSystem), Path.layer)
  )
  const upload = (request: Upload.UploadRequest<SourceError, FileSystem>) =>
    Stream.runFold(
      Upload.events(request),
      (): UploadResult | undefined => undefined,
      (result, event) => {
        onEvent(event)
        return event._tag === "Completed" ? event.result : result
      }
    )
  const sweep = (olderThan: number) =>
    Effect.as(Upload.sweep({ olderThan, dryRun: false }), undefined)
  return Effect.provide("upload" in work ? upload(work.upload) : sweep(work.sweep), store)
}

/** What the system and the network are to a process. */
const contextOf = (
  given: Options & {
    readonly lane: Lane
    readonly pid: number
    readonly fileSystem: FileSystem
    readonly client: OssClient["Service"]
    readonly isAlive: () => boolean
  }
) => {
  const { lane, pid, host, disk, random, isAlive, onLog } = given
  const logger = Logger.make(({ message }) => isAlive() && onLog(String(message)))
  return Context.merge(
    lane.context,
    Context.make(Random, random).pipe(
      Context.add(System, {
        pid,
        host: host.name,
        exists: (id) => host.processes.has(id),
        fileSystem: () => Effect.succeed(disk.fileSystem),
        look: () => Effect.succeed("Unknown" as const),
        user: undefined,
        thread: () => "",
        watch: Duration.seconds(40),
        again: Duration.millis(100),
        read: readByFileSystem,
        readSync: undefined,
        uuid: random.uuid
      }),
      // Threads of the simulation have all the time that they need.
      Context.add(Thread.Current, () => undefined),
      Context.add(References.TracerEnabled, false),
      Context.add(Logger.CurrentLoggers, new Set([logger])),
      Context.add(FileSystem, given.fileSystem),
      Context.add(OssClient, given.client)
    )
  )
}
