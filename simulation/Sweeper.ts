/** Somebody who gives up what is old, again and again, whoever may be running. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Dice } from "./Dice.ts"
import type { Disk } from "./Disk.ts"
import type { Judge } from "./Judge.ts"
import type { Kernel } from "./Kernel.ts"
import type { Machine } from "./Machine.ts"
import * as Mischief from "./Mischief.ts"
import * as Process from "./Process.ts"
import type { Server } from "./Server.ts"
import type { Story } from "./Story.ts"

/** A sweeper at work. */
export interface Running {
  readonly machine: Machine
  /** Another one comes after a while. */
  readonly kill: () => void
}

export interface World {
  readonly kernel: Kernel
  readonly disk: Disk
  readonly server: Server
  readonly dice: Dice
  readonly story: Story
  readonly judge: Judge
  readonly isCalm: () => boolean
  /** Who is at it. */
  readonly running: Set<Running>
  readonly after: (millis: number, task: () => void) => void
  /** What a process does at each of its points. */
  readonly onPoint: (name: string, point: Process.Point) => Process.Verdict
}

/** Sweeps from a machine until the world is calm. */
export const sweep = (world: World, machine: Machine): void => {
  const { kernel, disk, server, dice, story, judge, after } = world
  if (world.isCalm()) return
  const name = `sweeper-${++story.stats.sweeps}`
  const watch = judge.watch(name, "")
  const another = () => {
    world.running.delete(running)
    after(dice.int(100, 20_000), () => sweep(world, machine))
  }
  story.tell(() => `${name} starts on ${machine.name}`)
  const process: Process.Process = Process.start({
    name,
    kernel,
    disk,
    server,
    machine,
    dice,
    work: { sweep: dice.pick([0, 1_000, 30_000]) },
    travel: () => Mischief.drawTravel(dice),
    stray: () => "Cut",
    onPoint: (point) => {
      watch.point(point, process)
      return world.onPoint(name, point)
    },
    onEvent: () => undefined,
    onCarriedOut: watch.carriedOut,
    onLog: (line) => story.tell(() => `${name} logs: ${line}`),
    onExit: (exit) => {
      after(1, judge.holdsNothing(process))
      another()
      if (Exit.isSuccess(exit)) return
      story.rethrow()
      const error = Cause.findErrorOption(exit.cause)
      if (Option.isNone(error)) story.violated(`${name}: ${Cause.pretty(exit.cause)}`)
    }
  })
  const running: Running = {
    machine,
    kill: () => {
      story.tell(() => `${name} is killed`)
      process.kill()
      another()
    }
  }
  world.running.add(running)
}
