/**
 * One world out of one seed: some uploaders, one OSS, one disk, and everything
 * that can go wrong, for a while. Then the world calms down, and every uploader
 * goes on until it succeeds or has an error that trying again cannot mend.
 */
import type { SourceError } from "@effect-oss/core/Source"
import * as Part from "@effect-oss/core/Part"
import type { UploadError, UploadRequest } from "@effect-oss/core/Upload"
import type { UploadEvent, UploadResult } from "@effect-oss/core/UploadEvent"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { FileSystem } from "effect/FileSystem"
import * as Option from "effect/Option"
import * as DiceOf from "./Dice.ts"
import type { Dice } from "./Dice.ts"
import * as DiskOf from "./Disk.ts"
import * as Judge from "./Judge.ts"
import * as KernelOf from "./Kernel.ts"
import * as MachineOf from "./Machine.ts"
import type { Machine } from "./Machine.ts"
import * as Mischief from "./Mischief.ts"
import * as NatureOf from "./Nature.ts"
import * as Originals from "./Originals.ts"
import type { Original } from "./Originals.ts"
import * as ProcessOf from "./Process.ts"
import type { Point, Process, Verdict } from "./Process.ts"
import * as ServerOf from "./Server.ts"
import * as Story from "./Story.ts"
import * as Sweeper from "./Sweeper.ts"

/** Somebody who wants a file under a key, and starts a process as often as it takes. */
interface Uploader {
  readonly name: string
  readonly original: Original
  readonly sourceId: string
  readonly key: string
  readonly machine: Machine
  /** What it asks for in its next run; in a calm world always the same. */
  readonly request: (calm: boolean) => UploadRequest<SourceError, FileSystem>
  /** How it ended. */
  end: Option.Option<UploadResult | UploadError>
  process: Process | undefined
  tries: number
}

/** Whoever is not through by then, in milliseconds after the world has calmed down, hangs. */
const patience = 6 * 3_600_000

/** In calm no uploader needs to try more often, not even while another has the checkpoint. */
const maxTries = 100

/** Runs the world; throws a `Story.Violation` if it breaks an invariant. */
export const run = (seed: number): Story.Story => {
  const dice = DiceOf.make(seed)
  const kernel = KernelOf.make()
  const story = Story.make(seed, kernel.now)
  const machines = ["a", "b"].slice(0, dice.chance(0.6) ? 1 : 2).map(MachineOf.make)
  const offsets = () => machines.map(({ offset }) => offset)
  // A disk has its machine's clock; that of one that is shared is never behind a machine's.
  const disk = DiskOf.make(() => kernel.now() + Math.max(...offsets()))
  if (machines.length > 1) disk.fileSystem = DiskOf.fileSystems.nfs
  const server = ServerOf.make(kernel, () => judge.look())
  const time = kernel.lane("time")
  const judge = Judge.make({ story, server, disk, now: kernel.now })
  const originals = Array.from({ length: dice.int(1, 2) }, (_, index) =>
    Originals.make(`/data/file-${index}`, dice, disk, kernel.now())
  )
  // Whoever reads a file as a stream has to see to it that it stays the same.
  const fixed = Originals.make("/data/stream", dice, disk, kernel.now())
  const uploaders = Array.from({ length: dice.int(1, 4) }, (_, index) =>
    drawUploader({ dice, index, machines, originals, fixed })
  )
  let calm = false

  const { stats, tell } = story
  const after = (millis: number, task: () => void) => void time.after(millis, task)

  const sweepers = new Set<Sweeper.Running>()
  const killAllOn = (machine: Machine) => {
    for (const uploader of uploaders) {
      if (uploader.machine === machine && uploader.process !== undefined) kill(uploader)
    }
    for (const sweeper of sweepers) if (sweeper.machine === machine) sweeper.kill()
  }

  const kill = (uploader: Uploader) => {
    stats.kills++
    const { process } = uploader
    tell(() => `${process?.name} is killed`)
    process?.kill()
    rise(uploader, dice.pick([0, 100, 5_000, 90_000]))
  }

  const rise = (uploader: Uploader, millis: number) => {
    uploader.process = undefined
    after(millis, () => launch(uploader))
  }

  const sleep = (process: Process, millis: number) => {
    stats.suspensions++
    judge.slept()
    tell(() => `${process.name} sleeps for ${millis} ms`)
    process.lane.suspend()
    after(millis, () => {
      tell(() => `${process.name} wakes`)
      process.lane.wake()
    })
  }

  const verdict = (uploader: Uploader, process: Process, fate: Mischief.Fate, number: number) => {
    if (calm || fate._tag === "Lives" || fate.at !== number) return pause()
    if (fate._tag === "Dies") {
      after(0, () => uploader.process === process && kill(uploader))
      return "Die"
    }
    if (fate._tag === "Interrupted") {
      stats.interruptions++
      tell(() => `${process.name} is interrupted`)
      return "Interrupt"
    }
    sleep(process, fate.millis)
    return { wait: 0 }
  }

  const pause = (): Verdict => (dice.chance(0.25) ? { wait: dice.int(0, 3) } : "Go")

  const launch = (uploader: Uploader) => {
    uploader.tries++
    stats.runs++
    const { original, key, machine } = uploader
    const name = `${uploader.name}#${uploader.tries}`
    const fate = calm ? ({ _tag: "Lives" } as const) : Mischief.drawFate(dice)
    const request = uploader.request(calm)
    tell(() => `${name} starts on ${machine.name}: ${original.path} to ${key}`)
    const watch = judge.watch(name, key)
    const run = { from: kernel.now(), request, watch }
    const process: Process = ProcessOf.start({
      name,
      kernel,
      disk,
      server,
      machine,
      dice,
      work: { upload: request },
      travel: () => (calm ? dice.int(0, 20) : Mischief.drawTravel(dice)),
      stray: () =>
        dice.chance(0.5) ? "Cut" : { after: dice.int(0, dice.chance(0.1) ? 5_000 : 300) },
      onPoint: (point, number) => {
        told(name, point)
        if ("path" in point && point.path === original.path) scribble(original)
        watch.point(point, process)
        return verdict(uploader, process, fate, number)
      },
      onEvent: (event) => {
        tellEvent(name, event)
        watch.event(event)
      },
      onCarriedOut: (call, awaited) => {
        tell(() => `oss is done with ${call.call} of ${name}${awaited ? "" : ", who is gone"}`)
        watch.carriedOut(call, awaited)
      },
      onLog: (line) => tell(() => `${name} logs: ${line}`),
      onExit: (exit) => {
        ended(uploader, process, exit, run)
      }
    })
    uploader.process = process
  }

  /** Twice within a moment: what is noticed of the second depends on when it is looked for. */
  const scribble = (original: Original) => {
    const apart = Math.max(...offsets()) - Math.min(...offsets())
    if (calm || original === fixed || apart > 300_000 || !dice.chance(0.005)) return
    const once = () => {
      if (!original.isThere) return
      stats.edits++
      tell(() => `${original.path} is scribbled over`)
      Originals.scribble(original, dice, disk, kernel.now())
    }
    once()
    after(dice.int(0, 3), once)
  }

  const told = (name: string, point: Point) =>
    tell(() =>
      "path" in point
        ? `${name} ${point.moment} ${point.call} ${point.path}`
        : `${name} ${point.moment} ${point.call} ${point.partNumber ?? ""} ${point.uploadId ?? ""}`
    )

  const tellEvent = (name: string, event: UploadEvent) => {
    if (event._tag !== "Progress") tell(() => `${name} reports ${Story.show(event)}`)
  }

  const ended = (
    uploader: Uploader,
    process: Process,
    exit: Exit.Exit<UploadResult | undefined, UploadError>,
    run: Judge.Run
  ) => {
    uploader.process = undefined
    after(1, judge.holdsNothing(process))
    if (Exit.isSuccess(exit)) {
      tell(() => `${process.name} succeeds`)
      uploader.end = Option.some(judge.succeeded(uploader, run, exit.value))
      return
    }
    story.rethrow()
    const error = Cause.findErrorOption(exit.cause)
    if (Option.isNone(error) && Cause.hasInterruptsOnly(exit.cause)) {
      tell(() => `${process.name} has stopped`)
      return rise(uploader, dice.int(0, 30_000))
    }
    if (Option.isNone(error)) return story.violated(`${process.name}: ${Cause.pretty(exit.cause)}`)
    stats.errors++
    tell(() => `${process.name} fails: ${error.value.message}`)
    failed(uploader, error.value)
  }

  const failed = (uploader: Uploader, error: UploadError) => {
    const isFinal = calm && judge.isFinal(uploader, error)
    if (isFinal) uploader.end = Option.some(error)
    else if (calm && uploader.tries > maxTries) {
      story.violated(`${uploader.name} never gets through: ${error.message}`)
    } else rise(uploader, calm ? dice.int(1_000, 70_000) : dice.int(0, 30_000))
  }

  const calmDown = () => {
    calm = true
    tell(() => "the world calms down")
    nature.calmDown()
    for (const uploader of uploaders) uploader.tries = 0
  }

  const nature = NatureOf.make({
    story,
    dice,
    disk,
    server,
    judge,
    machines,
    originals,
    killAllOn,
    now: kernel.now,
    after
  })
  for (const uploader of uploaders) after(dice.int(0, 3_000), () => launch(uploader))
  const onPoint = (name: string, point: Point) => {
    told(name, point)
    return pause()
  }
  const isCalm = () => calm
  const running = sweepers
  const sweeping = { kernel, disk, server, dice, story, judge, isCalm, running, after, onPoint }
  if (dice.chance(0.15)) {
    after(dice.int(0, 3_000), () => Sweeper.sweep(sweeping, dice.pick(machines)))
  }
  const begin = kernel.now()
  kernel.pass(dice.int(5_000, 120_000))
  calmDown()
  const isOver = () => uploaders.every(({ end }) => Option.isSome(end))
  const stop = kernel.run(isOver, kernel.now() + patience)
  if (stop !== "Done") story.violated(`the world does not come to an end: ${stop}`)
  // What is still on its way arrives, and timers that should be gone would go off.
  kernel.pass(300_000)
  judge.atTheEnd(uploaders)
  stats.virtualMillis += kernel.now() - begin
  return story
}

const drawUploader = (world: {
  readonly dice: Dice
  readonly index: number
  readonly machines: ReadonlyArray<Machine>
  readonly originals: ReadonlyArray<Original>
  readonly fixed: Original
}): Uploader => {
  const { dice, index, machines, originals, fixed } = world
  const way = dice.chance(0.75) ? "AtAnyPlace" : "InOrder"
  const original = way === "AtAnyPlace" ? dice.pick(originals) : fixed
  const key = `key-${dice.int(0, 1)}`
  return {
    name: `uploader-${index}`,
    original,
    sourceId: way === "AtAnyPlace" ? `file:${original.path}` : `stream:${original.path}`,
    key,
    machine: dice.pick(machines),
    request: drawRequests(dice, key, original, way),
    end: Option.none(),
    process: undefined,
    tries: 0
  }
}

const drawPartSize = (dice: Dice) => (dice.chance(0.8) ? Part.minPartSize : 2 * Part.minPartSize)

/** The same request for each run, unless it is one of the few who change their minds. */
const drawRequests = (
  dice: Dice,
  key: string,
  original: Original,
  way: Originals.Way
): Uploader["request"] => {
  const request: UploadRequest<SourceError, FileSystem> = {
    key,
    source: Originals.sourceOf(original.path, way),
    partSize: drawPartSize(dice),
    concurrency: dice.int(1, 5),
    onSourceChanged: dice.chance(0.8) ? "restart" : "fail",
    onDamagedCheckpoint: dice.chance(0.7) ? "fail" : "restart",
    discover: way === "AtAnyPlace" && dice.chance(0.2),
    forbidOverwrite: dice.chance(0.1),
    skipIdentical: dice.chance(0.1),
    ...(dice.chance(0.1) ? { callback: { url: "http://callback.test/", body: "done" } } : {})
  }
  if (dice.chance(0.8)) return () => request
  return (calm) => {
    const changes = { partSize: drawPartSize(dice), meta: { version: String(dice.int(1, 2)) } }
    return calm ? request : { ...request, ...changes }
  }
}
