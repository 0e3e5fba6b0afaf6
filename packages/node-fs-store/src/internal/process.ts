/**
 * Which process is this, and does that one still run? A process id says nothing
 * by itself: other hosts and other containers have the same ones, and each is
 * used again after a while. Linux tells these apart; where the system doesn't,
 * the answer is that nobody knows.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"

/** A process, named so that no other one has the same name. */
export const Identity = Schema.Struct({
  pid: Schema.Int.check(Schema.isGreaterThan(0)),
  host: Schema.String,
  /** The boot and the container within which process ids can be compared; empty if unknown. */
  space: Schema.String,
  /** When it started, in the clock ticks of `space`; empty if unknown. */
  started: Schema.String
})

/** A process, named so that no other one has the same name. */
export type Identity = typeof Identity.Type

/** What is asked of Node, so that many processes can be simulated in one. */
export const System = Context.Reference<{
  readonly pid: number
  readonly host: string
  /** Whether there is a process with this id, alive or not yet waited for. */
  readonly exists: (pid: number) => boolean
  /** Unlike Effect's random, never the same in two processes with one seed. */
  readonly uuid: () => string
}>("@effect-oss/node-fs-store/System", {
  defaultValue: () => ({ pid: process.pid, host: hostname(), exists, uuid: randomUUID })
})

/** This process. */
export const self: Effect.Effect<Identity, never, FileSystem.FileSystem> = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const { pid, host } = yield* System
  const boot = yield* orEmpty(fs.readFileString("/proc/sys/kernel/random/boot_id"))
  const container = yield* orEmpty(fs.readLink("/proc/self/ns/pid"))
  const started = Option.match(yield* status(pid), {
    onNone: () => "",
    onSome: (status) => status.started
  })
  return { pid, host, space: `${boot}${container}`, started }
})

/** What is known of a process: it runs, it is dead, or it can't be seen from here. */
export const fate = Effect.fnUntraced(function* (process: Identity, self: Identity) {
  if (process.host !== self.host || process.space !== self.space) return "Unknown"
  const { exists } = yield* System
  if (!exists(process.pid)) return "Dead"
  return Option.match(yield* status(process.pid), {
    onNone: () => "Unknown" as const,
    onSome: ({ state, started }) =>
      state === "Z" || state === "X" || started !== process.started ? "Dead" : "Alive"
  })
})

/** A process of another user refuses the signal, and so is there. */
const exists = (pid: number): boolean => {
  const signalled = Result.try(() => process.kill(pid, 0))
  return Result.isSuccess(signalled) || isRefusal(signalled.failure)
}

const isRefusal = (cause: unknown) =>
  cause instanceof Error && "code" in cause && cause.code === "EPERM"

/** proc_pid_stat(5): field 3 is the state, field 22 the start; field 2 is in brackets and may hold anything. */
const status = (pid: number) =>
  FileSystem.FileSystem.use((fs) => fs.readFileString(`/proc/${pid}/stat`)).pipe(
    Effect.map((text) => {
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
      return { state: fields[0], started: fields[19] ?? "" }
    }),
    Effect.option
  )

const orEmpty = <E, R>(text: Effect.Effect<string, E, R>) =>
  Effect.orElseSucceed(text, () => "").pipe(Effect.map((text) => text.trim()))
