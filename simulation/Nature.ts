/** Carries out what a world does to those in it, at moments that chance draws. */
import * as Effect from "effect/Effect"
import type { Dice } from "./Dice.ts"
import type { Disk } from "./Disk.ts"
import * as Inode from "./Inode.ts"
import type { Judge } from "./Judge.ts"
import type { Machine } from "./Machine.ts"
import * as Mischief from "./Mischief.ts"
import * as Originals from "./Originals.ts"
import type { Original } from "./Originals.ts"
import { directory } from "./Process.ts"
import type { Server } from "./Server.ts"
import type { Story } from "./Story.ts"
import { show } from "./Story.ts"

export interface World {
  readonly story: Story
  readonly dice: Dice
  readonly disk: Disk
  readonly server: Server
  readonly judge: Judge
  readonly machines: ReadonlyArray<Machine>
  readonly originals: ReadonlyArray<Original>
  readonly killAllOn: (machine: Machine) => void
  readonly now: () => number
  readonly after: (millis: number, task: () => void) => void
}

export interface Nature {
  /** Nothing is wrong from now on, but for what has happened. */
  readonly calmDown: () => void
}

/** Draws what happens within the first so many milliseconds. */
const span = 20_000

export const make = (world: World): Nature => {
  const { dice, after, machines, server } = world
  const troubles = diskTroubles(world)
  /** What this world has to offer, and how often. */
  const mischief = [
    [() => injectFault(world), 1],
    [() => injectFault(world), 1],
    [() => losePower(world), 0.25],
    [troubles.begin, 0.3],
    [() => jump(world), 0.2],
    [() => damage(world), 0.25],
    [() => edit(world), 0.35],
    [() => meddle(world), 0.2]
  ] as const
  for (const [strike, share] of mischief) {
    if (!dice.chance(share)) continue
    for (let left = dice.int(1, 4); left > 0; left--) after(dice.int(0, span), strike)
  }
  return {
    calmDown: () => {
      troubles.end()
      for (const machine of machines) machine.offset = 0
      Effect.runSync(server.emulator.clearFaults)
    }
  }
}

const injectFault = ({ story, dice, server }: World) => {
  const fault = Mischief.drawFault(dice)
  story.stats.serverFaults++
  story.tell(() => `a fault is due: ${show(fault)}`)
  Effect.runSync(server.emulator.inject(fault))
}

const losePower = ({ story, dice, disk, machines, killAllOn }: World) => {
  const machine = dice.pick(machines)
  story.stats.powerLosses++
  story.tell(() => `${machine.name} loses power`)
  machine.boot++
  killAllOn(machine)
  // Two machines share a disk that has its own power.
  if (machines.length === 1) {
    disk.crash(dice.chance(0.5) ? Inode.nothingKept : Inode.chanceOf(dice))
  }
}

const diskTroubles = ({ story, dice, disk, after }: World) => {
  const troubles: Array<Mischief.Trouble> = []
  disk.trouble = (_, operation) => {
    const trouble = troubles.find(({ strikes }) => strikes(operation))
    if (trouble === undefined) return undefined
    story.stats.diskFaults++
    story.tell(() => `disk: ${trouble.code} at ${operation.call} ${operation.path}`)
    return trouble.code
  }
  return {
    begin: () => {
      const drawn = Mischief.drawTrouble(dice)
      story.tell(() => `trouble with the disk begins: ${drawn.code}`)
      troubles.push(drawn)
      after(dice.int(0, 60_000), () => {
        const at = troubles.indexOf(drawn)
        if (at !== -1) troubles.splice(at, 1)
      })
    },
    end: () => {
      troubles.length = 0
    }
  }
}

const jump = ({ story, dice, judge, machines }: World) => {
  const machine = dice.pick(machines)
  const millis = dice.pick([-1, 1]) * dice.pick([1_000, 20_000, 100_000, 86_400_000])
  story.stats.clockJumps++
  judge.jumped()
  story.tell(() => `the clock of ${machine.name} jumps by ${millis} ms`)
  machine.offset += millis
}

const damage = ({ story, dice, disk, judge }: World) => {
  const files = disk.files(directory)
  if (files.length === 0) return
  const path = dice.pick(files)
  const bytes = disk.bytes(path) ?? new Uint8Array()
  const next = Mischief.damaged(dice, bytes)
  story.stats.damages++
  story.tell(() => `${path} is ${next === undefined ? "deleted" : "damaged"}`)
  judge.damaged(path, bytes)
  if (next === undefined) disk.remove(path)
  else disk.damage(path, next)
}

const edit = ({ story, dice, disk, originals, now, after }: World) => {
  const original = dice.pick(originals)
  story.stats.edits++
  const what = Originals.edit(original, { dice, disk, now, after })
  story.tell(() => `${original.path} is ${what}`)
}

/** The server forgets an upload, as a lifecycle rule makes it do, or loses a part. */
const meddle = ({ story, dice, server }: World) => {
  const uploads = server.uploads()
  if (uploads.length === 0) return
  const { key, uploadId, parts } = dice.pick(uploads)
  const { bucket } = server.client
  story.stats.serverLosses++
  if (parts.length === 0 || dice.chance(0.3)) {
    story.tell(() => `oss forgets the upload ${uploadId}`)
    server.fork(server.emulator.abortUpload({ bucket, key, uploadId }))
    return
  }
  const { number } = dice.pick(parts)
  story.tell(() => `oss loses part ${number} of ${uploadId}`)
  server.fork(server.emulator.removePart({ bucket, key, uploadId, number }))
}
