/** A sweeper gives up old uploads again and again, whichever processes run meanwhile. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Host } from "../kernel/host.ts"
import * as Process from "../kernel/process.ts"
import * as Faults from "./faults.ts"
import * as Uploader from "./uploader.ts"
import type { World } from "./world.ts"

/** A sweeper at work. */
export interface Sweeper {
  readonly host: Host
  /** Another one comes after a while. */
  readonly kill: () => void
}

/** Sweeps from a host until the world is calm. */
export const sweep = (world: World, host: Host): void => {
  const { random, trace, invariants, after } = world
  if (world.isCalm()) return
  const [directory = Process.directory] = world.directories
  const name = `sweeper-${++trace.stats.sweeps}`
  const watch = invariants.watch(name, "", directory, undefined)
  const another = () => {
    world.sweepers.delete(sweeper)
    after(random.int(100, 20_000), () => sweep(world, host))
  }
  trace.tell(() => `${name} starts on ${host.name}`)
  const process: Process.Process = Process.start({
    ...world,
    name,
    host,
    directory,
    work: { sweep: random.pick([0, 1_000, 30_000]) },
    travel: () => Faults.drawTravel(random),
    stray: () => "Cut",
    onPoint: (point) => {
      watch.point(point, process)
      Uploader.tellPoint(world, name, point)
      return Uploader.pause(world)
    },
    onEvent: () => undefined,
    onCarriedOut: watch.carriedOut,
    onTaken: watch.taken,
    onLog: (line) => trace.tell(() => `${name} logs: ${line}`),
    onExit: (exit) => {
      after(1, invariants.exited(process))
      another()
      if (Exit.isSuccess(exit)) return
      trace.rethrow()
      const error = Cause.findErrorOption(exit.cause)
      if (Option.isNone(error)) trace.violated(`${name}: ${Cause.pretty(exit.cause)}`)
    }
  })
  const sweeper: Sweeper = {
    host,
    kill: () => {
      trace.tell(() => `${name} is killed`)
      process.kill()
      another()
    }
  }
  world.sweepers.add(sweeper)
}
