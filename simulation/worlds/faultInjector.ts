/** Injects the faults of a world, at moments that are drawn at its start. */
import * as Fault from "@effect-oss/emulator/Fault"
import { rule } from "@effect-oss/emulator/internal/script"
import * as Effect from "effect/Effect"
import * as Inode from "../kernel/inode.ts"
import * as SourceFiles from "../kernel/sourceFiles.ts"
import { show } from "../kernel/text.ts"
import * as Faults from "./faults.ts"
import type { World } from "./world.ts"

export interface FaultInjector {
  /** Nothing fails from now on; what has happened stays. */
  readonly end: () => void
}

/** For quiet worlds. */
export const none: FaultInjector = { end: () => undefined }

/** Faults begin within this time after the start, in milliseconds. */
const span = 20_000

export const make = (world: World): FaultInjector => {
  const { random, after, hosts, server } = world
  const diskFaults = makeDiskFaults(world)
  /** Each kind of fault, and the share of worlds that have it. */
  const kinds = [
    [() => injectFault(world), 1],
    [() => injectFault(world), 1],
    [() => losePower(world), 0.25],
    [diskFaults.begin, 0.3],
    [() => jump(world), 0.2],
    [() => damage(world), 0.25],
    [() => edit(world), 0.35],
    [() => meddle(world), 0.2]
  ] as const
  for (const [inject, share] of kinds) {
    if (!random.chance(share)) continue
    for (let left = random.int(1, 4); left > 0; left--) after(random.int(0, span), inject)
  }
  return {
    end: () => {
      diskFaults.end()
      for (const host of hosts) host.clockOffset = 0
      Effect.runSync(server.emulator.clearFaults)
    }
  }
}

const injectFault = ({ trace, random, server, conditions }: World) => {
  const drawn = Faults.drawFault(random)
  // Without CRC64, damage on the way would go unnoticed.
  const fault =
    conditions.has("noCrc64") && drawn[rule].action._tag === "Damage" ? Fault.noCrc() : drawn
  trace.stats.serverFaults++
  trace.tell(() => `a fault is due: ${show(fault[rule])}`)
  Effect.runSync(server.emulator.inject(fault))
}

const losePower = ({ trace, random, disk, hosts, killAllOn }: World) => {
  const host = random.pick(hosts)
  trace.stats.powerLosses++
  trace.tell(() => `${host.name} loses power`)
  host.boot++
  killAllOn(host)
  // A disk that two hosts share has its own power.
  if (hosts.length === 1) {
    disk.crash(random.chance(0.5) ? Inode.nothingKept : Inode.chanceOf(random))
  }
}

const makeDiskFaults = ({ trace, random, disk, invariants, after }: World) => {
  const troubles: Array<Faults.DiskFault> = []
  disk.trouble = (_, operation) => {
    const trouble = troubles.find(({ strikes }) => strikes(operation))
    if (trouble === undefined) return undefined
    trace.stats.diskFaults++
    trace.tell(() => `disk: ${trouble.code} at ${operation.call} ${operation.path}`)
    invariants.refused(operation.path)
    return trouble.code
  }
  return {
    begin: () => {
      const drawn = Faults.drawDiskFault(random)
      trace.tell(() => `trouble with the disk begins: ${drawn.code}`)
      troubles.push(drawn)
      after(random.int(0, 60_000), () => {
        const at = troubles.indexOf(drawn)
        if (at !== -1) troubles.splice(at, 1)
      })
    },
    end: () => {
      troubles.length = 0
    }
  }
}

const jump = ({ trace, random, invariants, hosts }: World) => {
  const host = random.pick(hosts)
  const millis = random.pick([-1, 1]) * random.pick([1_000, 20_000, 100_000, 86_400_000])
  trace.stats.clockJumps++
  invariants.clockJumped()
  trace.tell(() => `the clock of ${host.name} jumps by ${millis} ms`)
  host.clockOffset += millis
}

const damage = ({ trace, random, disk, invariants, directories, strangers }: World) => {
  const files = directories.flatMap(disk.files).filter((path) => !strangers.has(path))
  if (files.length === 0) return
  const path = random.pick(files)
  const bytes = disk.bytes(path) ?? new Uint8Array()
  const next = Faults.damaged(random, bytes)
  trace.stats.damages++
  trace.tell(() => `${path} is ${next === undefined ? "deleted" : "damaged"}`)
  invariants.damaged(path, bytes)
  if (next === undefined) disk.remove(path)
  else disk.damage(path, next)
}

const edit = ({ trace, random, disk, files, scheduler, after }: World) => {
  const file = random.pick(files)
  trace.stats.edits++
  const what = SourceFiles.edit(file, { random, disk, now: scheduler.now, after })
  trace.tell(() => `${file.path} is ${what}`)
}

/** The server forgets an upload, as a lifecycle rule makes it do, or loses a part. */
const meddle = ({ trace, random, server }: World) => {
  const uploads = server.uploads()
  if (uploads.length === 0) return
  const { key, uploadId, parts } = random.pick(uploads)
  const { bucket } = server.client
  trace.stats.serverLosses++
  if (parts.length === 0 || random.chance(0.3)) {
    trace.tell(() => `oss forgets the upload ${uploadId}`)
    server.fork(server.emulator.abortUpload({ bucket, key, uploadId }))
    return
  }
  const { number } = random.pick(parts)
  trace.tell(() => `oss loses part ${number} of ${uploadId}`)
  server.fork(server.emulator.removePart({ bucket, key, uploadId, number }))
}
