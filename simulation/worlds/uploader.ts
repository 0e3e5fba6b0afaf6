/** An uploader wants a file under a key, and starts one process after another until it gets there. */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import type { SourceError } from "@effect-oss/core/Source"
import type { UploadError, UploadRequest } from "@effect-oss/core/Upload"
import type { UploadEvent, UploadResult } from "@effect-oss/core/UploadEvent"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { FileSystem } from "effect/FileSystem"
import * as Option from "effect/Option"
import { hashOf } from "../../packages/node-fs-store/src/internal/place.ts"
import type { Host } from "../kernel/host.ts"
import * as ProcessOf from "../kernel/process.ts"
import type { Point, Process, Verdict } from "../kernel/process.ts"
import * as SourceFiles from "../kernel/sourceFiles.ts"
import type { SourceFile } from "../kernel/sourceFiles.ts"
import { show } from "../kernel/text.ts"
import * as Faults from "./faults.ts"
import type { Watch } from "./invariants/index.ts"
import { maxTries } from "./invariants/everyoneGetsThrough.ts"
import * as Requests from "./requests.ts"
import type { World } from "./world.ts"

export interface Uploader {
  readonly name: string
  readonly file: SourceFile
  readonly sourceId: string
  readonly key: string
  readonly host: Host
  /** The directory of its checkpoints. */
  readonly directory: string
  /** Its source yields its content once a run. */
  readonly isOneShot: boolean
  /** The request of its next run; in a calm world always the same. */
  readonly request: (calm: boolean) => UploadRequest<SourceError, FileSystem>
  /** How it ended. */
  end: Option.Option<UploadResult | UploadError>
  process: Process | undefined
  /** The process whose worker threads are its runs; undefined if each run is a process. */
  pid: number | undefined
  tries: number
}

export const draw = (
  world: Pick<World, "random" | "hosts" | "files" | "streamFile" | "conditions" | "directories">,
  index: number
): Uploader => {
  const { random, hosts, files, streamFile, conditions, directories } = world
  const access = random.chance(0.75) ? "RandomAccess" : "Sequential"
  const file = access === "RandomAccess" ? random.pick(files) : streamFile
  const key = `key-${random.int(0, 1)}`
  const host = random.pick(hosts)
  return {
    host,
    name: `uploader-${index}`,
    file,
    sourceId: access === "RandomAccess" ? `file:${file.path}` : `stream:${file.path}`,
    key,
    directory: directories[index % directories.length] ?? ProcessOf.directory,
    isOneShot: access === "Sequential" && conditions.has("oneShotSources"),
    request: Requests.draw(random, conditions, { key, file, access }),
    end: Option.none(),
    process: undefined,
    pid: conditions.has("threadsDieAlone") ? host.spawn() : undefined,
    tries: 0
  }
}

export const launch = (world: World, uploader: Uploader): void => {
  const { random, trace, isCalm } = world
  uploader.tries++
  trace.stats.runs++
  const { file, key, host, directory, pid, isOneShot } = uploader
  const name = `${uploader.name}#${uploader.tries}`
  const fate = isCalm() ? ({ _tag: "Lives" } as const) : Faults.drawFate(random)
  const asked = uploader.request(isCalm())
  const request = isOneShot ? { ...asked, source: SourceFiles.oneShot(file.path) } : asked
  trace.tell(() => `${name} starts on ${host.name}: ${file.path} to ${key}`)
  const watch = world.invariants.watch(name, key, directory, request)
  const process: Process = ProcessOf.start({
    ...world,
    name,
    host,
    directory,
    pid,
    // Names begin again in a calm world.
    tag: `${name}, run ${trace.stats.runs}`,
    line: world.lines.get(host),
    work: { upload: request },
    travel: () => (isCalm() ? random.int(0, 20) : Faults.drawTravel(random)),
    stray: () =>
      random.chance(0.5) ? "Cut" : { after: random.int(0, random.chance(0.1) ? 5_000 : 300) },
    onPoint: (point, number) => {
      tellPoint(world, name, point)
      if ("path" in point && point.path === file.path) scribble(world, file)
      watch.point(point, process)
      return verdict(world, { uploader, process, fate, number })
    },
    onEvent: (event) => {
      tellEvent(world, name, event)
      watch.event(event)
    },
    onCarriedOut: (call, awaited) => {
      trace.tell(() => `oss is done with ${call.call} of ${name}${awaited ? "" : ", who is gone"}`)
      watch.carriedOut(call, awaited)
    },
    onTaken: watch.taken,
    onLog: (line) => trace.tell(() => `${name} logs: ${line}`),
    onExit: (exit) => ended(world, { uploader, process, exit, watch })
  })
  uploader.process = process
}

export const kill = (world: World, uploader: Uploader): void => {
  const { trace, random } = world
  trace.stats.kills++
  const { process } = uploader
  trace.tell(() => `${process?.name} is killed`)
  const isAlone = uploader.pid !== undefined && random.chance(0.5)
  if (isAlone) {
    world.invariants.threadDied()
    process?.killThread()
  } else process?.kill()
  if (uploader.pid !== undefined && !isAlone) uploader.pid = uploader.host.spawn()
  startLater(world, uploader, random.pick([0, 100, 5_000, 90_000]))
}

/** Its host has lost power. */
export const losePower = (world: World, uploader: Uploader): void => {
  if (uploader.process !== undefined) kill(world, uploader)
  if (uploader.pid === undefined) return
  uploader.host.processes.delete(uploader.pid)
  uploader.pid = uploader.host.spawn()
}

const startLater = (world: World, uploader: Uploader, millis: number) => {
  uploader.process = undefined
  world.after(millis, () => launch(world, uploader))
}

export const tellPoint = ({ trace }: World, name: string, point: Point): void =>
  trace.tell(() =>
    "path" in point
      ? `${name} ${point.moment} ${point.call} ${point.path}`
      : `${name} ${point.moment} ${point.call} ${point.partNumber ?? ""} ${point.uploadId ?? ""}`
  )

const tellEvent = ({ trace }: World, name: string, event: UploadEvent) => {
  if (event._tag !== "Progress") trace.tell(() => `${name} reports ${show(event)}`)
}

/** Most points pass at once; at some a process waits for a moment. */
export const pause = ({ random }: World): Verdict =>
  random.chance(0.25) ? { wait: random.int(0, 3) } : "Go"

const verdict = (
  world: World,
  at: {
    readonly uploader: Uploader
    readonly process: Process
    readonly fate: Faults.Fate
    readonly number: number
  }
): Verdict => {
  const { uploader, process, fate, number } = at
  const { trace } = world
  if (world.isCalm() || fate._tag === "Lives" || fate.at !== number) return pause(world)
  if (fate._tag === "Dies") {
    world.after(0, () => uploader.process === process && kill(world, uploader))
    return "Die"
  }
  if (fate._tag === "Interrupted") {
    trace.stats.interruptions++
    trace.tell(() => `${process.name} is interrupted`)
    return "Interrupt"
  }
  suspend(world, process, fate.millis)
  return { wait: 0 }
}

const suspend = ({ trace, invariants, after }: World, process: Process, millis: number) => {
  trace.stats.suspensions++
  invariants.suspended()
  trace.tell(() => `${process.name} sleeps for ${millis} ms`)
  process.lane.suspend()
  after(millis, () => {
    trace.tell(() => `${process.name} wakes`)
    process.lane.wake()
  })
}

/** Overwrites the file twice within a moment: whether the second time is noticed depends on when it is looked for. */
const scribble = (world: World, file: SourceFile) => {
  const { random, disk, trace, scheduler, hosts } = world
  const offsets = hosts.map(({ clockOffset }) => clockOffset)
  const apart = Math.max(...offsets) - Math.min(...offsets)
  const isFixed = file === world.streamFile
  if (world.isCalm() || isFixed || apart > 300_000 || !random.chance(0.005)) return
  const once = () => {
    if (!file.isThere) return
    trace.stats.edits++
    trace.tell(() => `${file.path} is scribbled over`)
    SourceFiles.scribble(file, random, disk, scheduler.now())
  }
  once()
  world.after(random.int(0, 3), once)
}

const ended = (
  world: World,
  run: {
    readonly uploader: Uploader
    readonly process: Process
    readonly exit: Exit.Exit<UploadResult | undefined, UploadError>
    readonly watch: Watch
  }
): void => {
  const { uploader, process, exit, watch } = run
  const { trace, random } = world
  uploader.process = undefined
  world.after(1, world.invariants.exited(process))
  if (Exit.isSuccess(exit)) {
    trace.tell(() => `${process.name} succeeds`)
    uploader.end = Option.some(watch.succeeded(uploader, exit.value))
    return
  }
  trace.rethrow()
  const error = Cause.findErrorOption(exit.cause)
  if (Option.isNone(error) && Cause.hasInterruptsOnly(exit.cause)) {
    trace.tell(() => `${process.name} has stopped`)
    return startLater(world, uploader, random.int(0, 30_000))
  }
  if (Option.isNone(error)) return trace.violated(`${process.name}: ${Cause.pretty(exit.cause)}`)
  trace.stats.errors++
  trace.tell(() => `${process.name} fails: ${error.value.message}`)
  failed(world, uploader, error.value)
}

const failed = (world: World, uploader: Uploader, error: UploadError) => {
  const { random, isCalm } = world
  world.invariants.failed(uploader, error)
  if (isCalm() && isFinal(uploader, error)) uploader.end = Option.some(error)
  else if (isCalm() && uploader.tries > maxTries) {
    world.trace.violated(`${uploader.name} never gets through: ${error.message}`)
  } else {
    if (isCalm()) followRemedy(world, uploader, error)
    startLater(world, uploader, isCalm() ? random.int(1_000, 70_000) : random.int(0, 30_000))
  }
}

/** Whether another attempt in a calm world is in vain. */
const isFinal = ({ file }: Uploader, error: UploadError): boolean => {
  switch (error._tag) {
    case "SourceError":
      return error.reason._tag === "SourceNotFound"
        ? !file.isThere
        : error.reason._tag === "SourceChanged"
    case "OssError":
      return error.reason._tag === "AlreadyExists"
    default:
      return false
  }
}

/** Does what the message advises. */
const followRemedy = (world: World, uploader: Uploader, error: UploadError) => {
  if (error._tag !== "CheckpointError") return
  if (error.reason._tag === "Busy") endIdle(world, error.reason.holder)
  deleteDamaged(world, uploader, error)
}

/**
 * Ends the process that holds the checkpoint, if none of its threads uploads any
 * more: no other process can tell where the kernel doesn't show threads.
 */
const endIdle = ({ uploaders }: World, holder: string) => {
  for (const { pid, host, end } of uploaders) {
    const isHolder = holder === `process ${pid} on host ${host.name}`
    if (isHolder && pid !== undefined && Option.isSome(end)) host.processes.delete(pid)
  }
}

/** Deletes a damaged checkpoint. */
const deleteDamaged = (
  { disk, server }: World,
  uploader: Uploader,
  error: Extract<UploadError, { readonly _tag: "CheckpointError" }>
) => {
  if (error.reason._tag !== "Damaged" && error.reason._tag !== "UnknownVersion") return
  if (disk.bytes(error.location) !== undefined) return disk.remove(error.location)
  // The location may be the name of the checkpoint.
  const { endpoint, bucket } = server.client
  const hash = hashOf(Checkpoint.keyOf({ endpoint, bucket, ...uploader }))
  for (const path of disk.files(uploader.directory)) {
    if (path.includes(hash) && path.endsWith(".journal")) disk.remove(path)
  }
}
