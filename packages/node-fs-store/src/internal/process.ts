/**
 * Identifies processes, and finds out whether one still runs. A process id alone
 * says nothing: other hosts and containers have the same ids, and the system
 * uses each again. Linux can tell them apart. The answer is `Unknown` unless the
 * process is proven alive or dead.
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

/** The identity of a process, which no other process shares. */
export const Identity = Schema.Struct({
  pid: Schema.Int.check(Schema.isGreaterThan(0)),
  host: Schema.String,
  /** The boot id of the kernel; empty if unknown. */
  boot: Schema.String,
  /** A digest of the machine id, which stays the same across boots; empty if unknown. */
  machine: Schema.String,
  /** The PID namespace, within which process ids can be compared; empty if unknown. */
  container: Schema.String,
  /** When the process started, in clock ticks since boot; empty if unknown. */
  started: Schema.String,
  /** The kernel's id of the thread that runs the program; empty if unknown. It may end before the process. */
  thread: Schema.String,
  /** Whether no other kernel can use the file system of the directory at the same time. */
  alone: Schema.Boolean
})

/** The identity of a process, which no other process shares. */
export type Identity = typeof Identity.Type

/**
 * The calls of Node that this package uses. The simulation replaces them, to run
 * many processes in one.
 */
export const System = Context.Reference<{
  readonly pid: number
  readonly host: string
  /** Whether a process with this id exists. Zombies count. */
  readonly exists: (pid: number) => boolean
  /** The type of the file system of a directory, by its magic number of statfs(2); 0 if unknown. */
  readonly fileSystem: (directory: string) => Effect.Effect<number>
  /** The user id of this process; undefined if the system has no user ids. */
  readonly user: number | undefined
  /** The kernel's id of the calling thread; empty if unknown. */
  readonly thread: () => string
  /** How long to watch a silent holder before it counts as dead. */
  readonly watch: Duration.Duration
  /** How long to wait before removing a file again after a failure. */
  readonly again: Duration.Duration
  /** Reads a file that may be planted, up to a limit: see `file.ts`. */
  readonly read: (
    path: string,
    limit: number
  ) => Effect.Effect<File.Found, PlatformError, FileSystem.FileSystem>
  /** Reads a file synchronously, for local disks; undefined if that is impossible. */
  readonly readSync:
    | ((path: string, limit: number) => Result.Result<File.Found, PlatformError>)
    | undefined
  /** Whether the process that made the socket at a path lives. */
  readonly look: (beacon: string) => Effect.Effect<Beacon.Fate>
  /** A random id. Unlike Effect's `Random`, it differs between two processes with the same seed. */
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

/**
 * The types of file systems that one kernel mounts at a time: ext2 to ext4, XFS,
 * Btrfs, F2FS and overlay by linux/magic.h, and ZFS by OpenZFS.
 */
export const ofOneKernel: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x794c7630
])

/** Identifies this process as a user of `directory`. */
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

/** The PID namespace of the machine itself. The kernel fixes this number. */
const ofTheMachine = "pid:[4026531836]"

/**
 * Whether this process runs in a container, so that other processes of the
 * machine may not see it.
 */
export const isHidden = ({ container }: Identity): boolean =>
  container !== "" && container !== ofTheMachine

/** Finds out whether a process runs, is dead, or can't be seen from here. */
export const fate = (
  process: Identity,
  self: Identity,
  beacon: string
): Effect.Effect<Beacon.Fate, never, FileSystem.FileSystem> => {
  if (isComparable(process, self)) return byId(process)
  if (process.boot === "" || self.boot === "") return Effect.succeed("Unknown")
  // The machine was booted since then, or the disk moved to another machine. No other kernel used
  // the disk meanwhile.
  if (process.boot !== self.boot) {
    return Effect.succeed(process.alone && self.alone ? "Dead" : "Unknown")
  }
  return Effect.flatMap(System, ({ look }) => look(beacon))
}

/**
 * Whether the process ids of two processes can be compared: within one kernel
 * and one container. Without them, the host's name decides.
 */
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
  // If a worker thread ends, its process and the other threads go on.
  return Option.match(thread === "" ? now : yield* status(`/proc/${pid}/task/${thread}`), {
    onNone: () => "Dead" as const,
    onSome: (now) => (isOver(now) ? "Dead" : "Alive")
  })
})

const isOver = ({ state }: { readonly state: string | undefined }) => state === "Z" || state === "X"

/** Whether it is this process, in any of its threads. */
export const isSelf = (process: Identity, self: Identity): boolean =>
  isComparable(process, self) && process.pid === self.pid && process.started === self.started

/** Whether two processes ran on the same machine, as far as that can be known. */
export const isSameMachine = (
  one: Pick<Identity, "host" | "boot" | "machine">,
  other: Pick<Identity, "host" | "boot" | "machine">
): boolean =>
  (one.boot !== "" && one.boot === other.boot) ||
  (one.machine === other.machine && one.host === other.host)

/**
 * The kernel's id of the calling thread, because Node knows only its own ids. It
 * is read synchronously: an asynchronous call would run on another thread.
 */
const thread = (): string =>
  Result.match(
    Result.try(() => readlinkSync("/proc/thread-self")),
    { onFailure: () => "", onSuccess: (link) => /(\d+)$/.exec(link)?.[1] ?? "" }
  )

/** A digest of the machine id, because machine-id(5) asks not to show the id itself. */
const digest = (machine: string) =>
  machine === ""
    ? ""
    : createHash("sha256").update(`effect-oss ${machine}`).digest("hex").slice(0, 16)

/** A process of another user refuses the signal, so it exists. */
const exists = (pid: number): boolean => {
  const signalled = Result.try(() => process.kill(pid, 0))
  return Result.isSuccess(signalled) || isRefusal(signalled.failure)
}

const isRefusal = (cause: unknown) =>
  cause instanceof Error && "code" in cause && cause.code === "EPERM"

/**
 * Reads proc_pid_stat(5): field 3 is the state, field 22 the start. Field 2 is
 * in brackets and may hold any text.
 */
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
