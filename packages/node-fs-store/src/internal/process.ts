/**
 * Which process is this, and does that one still run? A process id says nothing
 * by itself: other hosts and other containers have the same ones, and each is
 * used again after a while. Linux tells these apart; where nothing proves that
 * a process is dead, the answer is that nobody knows.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import { statfs } from "node:fs/promises"
import { hostname } from "node:os"
import * as Beacon from "./beacon.ts"

/** A process, named so that no other one has the same name. */
export const Identity = Schema.Struct({
  pid: Schema.Int.check(Schema.isGreaterThan(0)),
  host: Schema.String,
  /** Of the kernel that it runs on, from one boot to the next; empty if unknown. */
  boot: Schema.String,
  /** Within which process ids can be compared; empty if unknown. */
  container: Schema.String,
  /** When it started, in the clock ticks of the boot; empty if unknown. */
  started: Schema.String,
  /** Whether the directory is on a file system that no other kernel can use meanwhile. */
  alone: Schema.Boolean
})

/** A process, named so that no other one has the same name. */
export type Identity = typeof Identity.Type

/** What is asked of Node, so that many processes can be simulated in one. */
export const System = Context.Reference<{
  readonly pid: number
  readonly host: string
  /** Whether there is a process with this id, alive or not yet waited for. */
  readonly exists: (pid: number) => boolean
  /** The kind of file system that a directory is on, by its magic number of statfs(2); 0 if unknown. */
  readonly fileSystem: (directory: string) => Effect.Effect<number>
  /** Whether somebody shows at a path that he lives. */
  readonly look: (beacon: string) => Effect.Effect<Beacon.Fate>
  /** Unlike Effect's random, never the same in two processes with one seed. */
  readonly uuid: () => string
}>("@effect-oss/node-fs-store/System", {
  defaultValue: () => ({
    pid: process.pid,
    host: hostname(),
    exists,
    fileSystem: (directory) =>
      Effect.orElseSucceed(
        Effect.tryPromise(() => statfs(directory)).pipe(Effect.map(({ type }) => type)),
        () => 0
      ),
    look: Beacon.look,
    uuid: randomUUID
  })
})

/** Those on a disk that one kernel mounts at a time, by linux/magic.h: ext2 to ext4, XFS, Btrfs, F2FS, ZFS, overlay. */
const ofOneKernel: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x794c7630
])

/** This process, as one that uses this directory. */
export const self = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<Identity, never, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const { pid, host, fileSystem } = yield* System
  const boot = yield* orEmpty(fs.readFileString("/proc/sys/kernel/random/boot_id"))
  const container = yield* orEmpty(fs.readLink("/proc/self/ns/pid"))
  const started = Option.match(yield* status(pid), {
    onNone: () => "",
    onSome: (status) => status.started
  })
  const alone = ofOneKernel.has(yield* fileSystem(directory))
  return { pid, host, boot, container, started, alone }
})

/** The name of the machine's own process ids, which the kernel fixes. */
const ofTheMachine = "pid:[4026531836]"

/** Whether other processes of the same machine may not see this one. */
export const isHidden = ({ container }: Identity): boolean =>
  container !== "" && container !== ofTheMachine

/** What is known of a process: it runs, it is dead, or it can't be seen from here. */
export const fate = (
  process: Identity,
  self: Identity,
  beacon: string
): Effect.Effect<Beacon.Fate, never, FileSystem.FileSystem> => {
  if (isComparable(process, self)) return byId(process)
  if (process.boot === "" || self.boot === "") return Effect.succeed("Unknown")
  // The machine was booted since, or the disk belongs to another one now: it was this process's alone.
  if (process.boot !== self.boot) {
    return Effect.succeed(process.alone && self.alone ? "Dead" : "Unknown")
  }
  return Effect.flatMap(System, ({ look }) => look(beacon))
}

/** A kernel and a container tell for sure; where there are none, the host's name has to do. */
const isComparable = (one: Identity, other: Identity) =>
  one.boot === other.boot &&
  one.container === other.container &&
  (one.boot !== "" || (one.container === "" && one.host === other.host))

const byId = Effect.fnUntraced(function* ({ pid, started }: Identity) {
  const { exists } = yield* System
  if (!exists(pid)) return "Dead"
  return Option.match(yield* status(pid), {
    onNone: () => "Unknown" as const,
    onSome: (now) =>
      now.state === "Z" || now.state === "X" || now.started !== started ? "Dead" : "Alive"
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
