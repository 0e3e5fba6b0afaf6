/**
 * One world out of one seed: some uploaders, one OSS, one disk, and faults of
 * every kind, for a while. Then the world calms down, and every uploader goes
 * on until it succeeds or has an error that another attempt cannot mend.
 */
import * as Option from "effect/Option"
import * as DiskOf from "../kernel/disk.ts"
import type { Disk } from "../kernel/disk.ts"
import * as HostOf from "../kernel/host.ts"
import type { Host } from "../kernel/host.ts"
import type { Line } from "../kernel/process.ts"
import * as Process from "../kernel/process.ts"
import * as Random from "../kernel/random.ts"
import type { SeededRandom } from "../kernel/random.ts"
import * as SchedulerOf from "../kernel/scheduler.ts"
import type { Scheduler } from "../kernel/scheduler.ts"
import * as ServerOf from "../kernel/server.ts"
import type { Server } from "../kernel/server.ts"
import * as SourceFiles from "../kernel/sourceFiles.ts"
import type { SourceFile } from "../kernel/sourceFiles.ts"
import * as EndpointOf from "./conditions/endpoint.ts"
import type { Endpoint } from "./conditions/endpoint.ts"
import * as Conditions from "./conditions/index.ts"
import type { Choice, Condition } from "./conditions/index.ts"
import * as ConditionEffects from "./conditions/begin.ts"
import * as FaultInjector from "./faultInjector.ts"
import * as InvariantsOf from "./invariants/index.ts"
import { patience } from "./invariants/everyoneGetsThrough.ts"
import type { Invariants } from "./invariants/index.ts"
import * as SweeperOf from "./sweeper.ts"
import type { Sweeper } from "./sweeper.ts"
import * as TraceOf from "./trace.ts"
import type { Trace } from "./trace.ts"
import * as UploaderOf from "./uploader.ts"
import type { Uploader } from "./uploader.ts"

export interface World {
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  readonly trace: Trace
  readonly hosts: ReadonlyArray<Host>
  readonly disk: Disk
  readonly server: Server
  readonly invariants: Invariants
  /** Files that are read at any offset, and may be edited. */
  readonly files: ReadonlyArray<SourceFile>
  /** The file that is read as a stream: its reader has to make sure that it stays the same. */
  readonly streamFile: SourceFile
  readonly conditions: ReadonlySet<Condition>
  readonly endpoint: Endpoint
  /** Of the stores: the directories of their checkpoints. */
  readonly directories: ReadonlyArray<string>
  /** Slow lines of hosts. */
  readonly lines: ReadonlyMap<Host, Line>
  /** Checkpoints that no uploader has written. */
  readonly strangers: Set<string>
  readonly uploaders: ReadonlyArray<Uploader>
  readonly sweepers: Set<Sweeper>
  /** Whether nothing fails any more. */
  readonly isCalm: () => boolean
  /** Runs a task after some milliseconds. */
  readonly after: (millis: number, task: () => void) => void
  readonly killAllOn: (host: Host) => void
}

/** Runs the world; throws a `Violation` if it breaks an invariant. */
export const run = (seed: number, choice: Choice = {}): Trace => {
  const { quiet = false } = choice
  let calm = quiet
  const world = make(seed, quiet, Conditions.draw(seed, choice), () => calm)
  const { scheduler, random, trace, uploaders, after } = world
  trace.tell(() => `conditions: ${[...world.conditions].join(" ") || "none"}`)
  const faults = quiet ? FaultInjector.none : FaultInjector.make(world)
  ConditionEffects.begin(world)
  for (const uploader of uploaders) {
    after(random.int(0, 3_000), () => UploaderOf.launch(world, uploader))
  }
  if (random.chance(0.15)) {
    after(random.int(0, 3_000), () => SweeperOf.sweep(world, random.pick(world.hosts)))
  }
  const begin = scheduler.now()
  const length = random.int(5_000, 120_000)
  scheduler.pass(quiet ? quietLength : length)
  calm = true
  trace.tell(() => "the world calms down")
  faults.end()
  ConditionEffects.end(world)
  for (const uploader of uploaders) uploader.tries = 0
  const isOver = () => uploaders.every(({ end }) => Option.isSome(end))
  const stop = scheduler.run(isOver, scheduler.now() + patience)
  if (stop !== "Done") trace.violated(`the world does not come to an end: ${stop}`)
  // Requests that still travel arrive, and timers that should be gone would fire.
  scheduler.pass(300_000)
  // A sweep of many checkpoints is long, and is let come to its end.
  scheduler.run(() => world.sweepers.size === 0, scheduler.now() + patience)
  world.invariants.atTheEnd(uploaders)
  trace.stats.httpTroubles += world.endpoint.troubles.struck
  trace.stats.virtualMillis += scheduler.now() - begin
  return trace
}

/** Longer than any outage of a quiet world, in milliseconds. */
const quietLength = 200_000

const make = (
  seed: number,
  quiet: boolean,
  conditions: ReadonlySet<Condition>,
  isCalm: () => boolean
): World => {
  const random = Random.make(seed)
  const scheduler = SchedulerOf.make()
  const { now } = scheduler
  const trace = TraceOf.make(seed, now)
  const hosts = ["a", "b"].slice(0, random.chance(0.6) ? 1 : 2).map(HostOf.make)
  // A disk has the clock of its host; the clock of a shared disk is never behind that of a host.
  const disk = DiskOf.make(() => now() + Math.max(...hosts.map(({ clockOffset }) => clockOffset)))
  if (hosts.length > 1) disk.fileSystem = DiskOf.fileSystems.nfs
  const endpoint = EndpointOf.make(
    ServerOf.make(scheduler, () => invariants.look()),
    { noCrc64: conditions.has("noCrc64"), overHttp: conditions.has("http"), now }
  )
  const { server } = endpoint
  const directories = conditions.has("otherStores")
    ? [Process.directory, "/work/other-checkpoints"]
    : [Process.directory]
  const strangers = new Set<string>()
  const time = scheduler.lane("time")
  const invariants = InvariantsOf.make({
    trace,
    server,
    disk,
    now,
    strangers,
    quiet,
    mayLoseParts: (["outages", "middleboxes", "http"] as const).some((name) =>
      conditions.has(name)
    ),
    noCrc64: conditions.has("noCrc64"),
    hasOthers: conditions.has("otherPrograms") || conditions.has("forgedCheckpoints"),
    headLied: () => endpoint.lied
  })
  const files = Array.from({ length: random.int(1, 2) }, (_, index) =>
    SourceFiles.make(`/data/file-${index}`, random, disk, now())
  )
  const streamFile = SourceFiles.make("/data/stream", random, disk, now())
  const uploaders = Array.from({ length: random.int(1, 4) }, (_, index) =>
    UploaderOf.draw({ random, hosts, files, streamFile, conditions, directories }, index)
  )
  const sweepers = new Set<Sweeper>()
  const world: World = {
    scheduler,
    random,
    trace,
    hosts,
    disk,
    server,
    invariants,
    files,
    streamFile,
    conditions,
    endpoint,
    directories,
    lines: ConditionEffects.linesOf(conditions, seed, hosts),
    strangers,
    uploaders,
    sweepers,
    isCalm,
    after: (millis, task) => void time.after(millis, task),
    killAllOn: (host) => {
      for (const uploader of uploaders) {
        if (uploader.host === host) UploaderOf.losePower(world, uploader)
      }
      for (const sweeper of sweepers) if (sweeper.host === host) sweeper.kill()
    }
  }
  return world
}
