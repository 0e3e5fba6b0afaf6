/**
 * Which process is this, and does that one still run? A process id says nothing
 * by itself: other hosts and other containers have the same ones, and each is
 * used again after a while. Linux tells these apart; where nothing proves that
 * a process is dead, the answer is that nobody knows.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { PlatformError } from "effect/PlatformError"
import { createHash, randomUUID } from "node:crypto"
import { statfs } from "node:fs/promises"
import { hostname } from "node:os"
import { readlinkSync } from "node:fs"
import * as Beacon from "./beacon.ts"
import * as File from "./file.ts"

/** A process, named so that no other one has the same name. */
export const Identity = Schema.Struct({
  pid: Schema.Int.check(Schema.isGreaterThan(0)),
  host: Schema.String,
  /** Of the kernel that it runs on, from one boot to the next; empty if unknown. */
  boot: Schema.String,
  /** Of the installation, from one boot to the next; empty if unknown. */
  machine: Schema.String,
  /** Within which process ids can be compared; empty if unknown. */
  container: Schema.String,
  /** When it started, in the clock ticks of the boot; empty if unknown. */
  started: Schema.String,
  /** The kernel's id of the thread that runs the program, which may end before the process; empty if unknown. */
  thread: Schema.String,
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
  /** The user that it runs as; undefined where users have no numbers. */
  readonly user: number | undefined
  /** The kernel's id of the calling thread; empty if unknown. */
  readonly thread: () => string
  /** How long a holder that gives no sign of life is watched before it is taken for dead. */
  readonly watch: Duration.Duration
  /** How long to wait before a file that could not be removed is removed again. */
  readonly again: Duration.Duration
  /** Reads a file that may be planted, up to a limit. */
  readonly read: (
    path: string,
    limit: number
  ) => Effect.Effect<File.Found, PlatformError, FileSystem.FileSystem>
  /** The same at once, for a local disk; undefined if there is no such way. */
  readonly readSync:
    | ((path: string, limit: number) => Result.Result<File.Found, PlatformError>)
    | undefined
  /** Whether a process shows at a path that it lives. */
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
    user: process.geteuid?.(),
    thread,
    watch: Duration.seconds(40),
    again: Duration.millis(100),
    read: File.readByNode,
    readSync: File.readByNodeSync,
    look: Beacon.look,
    uuid: randomUUID
  })
})

/** Those on a disk that one kernel mounts at a time, by linux/magic.h: ext2 to ext4, XFS, Btrfs, F2FS, ZFS, overlay. */
export const ofOneKernel: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x794c7630
])

/** This process, as one that uses this directory. */
export const self = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<Identity, never, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const { pid, host, fileSystem, thread } = yield* System
  const boot = yield* orEmpty(fs.readFileString("/proc/sys/kernel/random/boot_id"))
  const machine = digest(yield* orEmpty(fs.readFileString("/etc/machine-id")))
  const container = yield* orEmpty(fs.readLink("/proc/self/ns/pid"))
  const started = Option.match(yield* status(`/proc/${pid}`), {
    onNone: () => "",
    onSome: (status) => status.started
  })
  const alone = ofOneKernel.has(yield* fileSystem(directory))
  return { pid, host, boot, machine, container, started, thread: thread(), alone }
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

const byId = Effect.fnUntraced(function* ({ pid, started, thread }: Identity) {
  const { exists } = yield* System
  if (!exists(pid)) return "Dead"
  const now = yield* status(`/proc/${pid}`)
  if (Option.isNone(now)) return "Unknown"
  if (isOver(now.value) || now.value.started !== started) return "Dead"
  // A worker thread that was terminated leaves the process, and other threads with other ids.
  return Option.match(thread === "" ? now : yield* status(`/proc/${pid}/task/${thread}`), {
    onNone: () => "Dead" as const,
    onSome: (now) => (isOver(now) ? "Dead" : "Alive")
  })
})

const isOver = ({ state }: { readonly state: string | undefined }) => state === "Z" || state === "X"

/** Whether it is this process, in this thread or another one. */
export const isSelf = (process: Identity, self: Identity): boolean =>
  isComparable(process, self) && process.pid === self.pid && process.started === self.started

/** Whether a process of the past ran on this machine, as far as that can be told. */
export const isSameMachine = (
  one: Pick<Identity, "host" | "boot" | "machine">,
  other: Pick<Identity, "host" | "boot" | "machine">
): boolean =>
  (one.boot !== "" && one.boot === other.boot) ||
  (one.machine === other.machine && one.host === other.host)

/** Thread ids are the kernel's: Node knows only its own. Read at once, so that it is the caller's and not a helper's. */
const thread = (): string =>
  Result.match(
    Result.try(() => readlinkSync("/proc/thread-self")),
    { onFailure: () => "", onSuccess: (link) => /(\d+)$/.exec(link)?.[1] ?? "" }
  )

/** machine-id(5): the id itself should not be shown to others. */
const digest = (machine: string) =>
  machine === ""
    ? ""
    : createHash("sha256").update(`effect-oss ${machine}`).digest("hex").slice(0, 16)

/** A process of another user refuses the signal, and so is there. */
const exists = (pid: number): boolean => {
  const signalled = Result.try(() => process.kill(pid, 0))
  return Result.isSuccess(signalled) || isRefusal(signalled.failure)
}

const isRefusal = (cause: unknown) =>
  cause instanceof Error && "code" in cause && cause.code === "EPERM"

/** proc_pid_stat(5): field 3 is the state, field 22 the start; field 2 is in brackets and may hold anything. */
const status = (path: string) =>
  FileSystem.FileSystem.use((fs) => fs.readFileString(`${path}/stat`)).pipe(
    Effect.map((text) => {
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
      return { state: fields[0], started: fields[19] ?? "" }
    }),
    Effect.option
  )

const orEmpty = <E, R>(text: Effect.Effect<string, E, R>) =>
  Effect.orElseSucceed(text, () => "").pipe(Effect.map((text) => text.trim()))
