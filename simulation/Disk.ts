/**
 * A disk in memory that knows what is durable. Written bytes, and entries that
 * were made, renamed or removed in a directory, are there for every reader at
 * once, but survive a loss of power only if they were synced; of the others,
 * chance keeps what a real disk might: writes in any order and cut off, names
 * in any combination, each change of a name whole.
 *
 * A process sees the disk through a view of its own, whose every operation
 * passes a gate before and after it happens, and in the middle of a write.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import { systemError } from "effect/PlatformError"
import type { SystemErrorTag } from "effect/PlatformError"
import * as Inode from "./Inode.ts"

export type Code = "ENOENT" | "EEXIST" | "EISDIR" | "ENOTDIR" | "ENOSPC" | "EIO" | "EROFS"

export type Call =
  | "stat"
  | "read"
  | "readLink"
  | "list"
  | "open"
  | "write"
  | "sync"
  | "utimes"
  | "link"
  | "rename"
  | "remove"
  | "mkdir"

/** One operation of a process, about to happen, in its middle, or done. */
export interface Operation {
  readonly call: Call
  readonly path: string
  readonly moment: "before" | "torn" | "after"
}

export interface Gate {
  /** Where a process may be delayed, or stopped for ever. */
  readonly pass: (operation: Operation) => Effect.Effect<void>
  /** What the kernel tells of processes, by path. */
  readonly proc: (path: string) => string | undefined
}

/** Magic numbers of statfs(2). */
export const fileSystems = { ext4: 0xef53, nfs: 0x6969 }

export interface Disk {
  /** The kind of its file system: a disk that machines share has another one. Default: ext4. */
  fileSystem: number
  readonly view: (gate: Gate) => View
  /** Power fails: what was not synced is kept as `choice` says. No view may be used afterwards. */
  readonly crash: (choice: Inode.Choice) => void
  /** Decides which operations fail, by their number, from 0, and what they are. */
  trouble: (number: number, operation: Operation) => Code | undefined
  /** What a user does, durably. */
  readonly put: (path: string, bytes: Uint8Array, how: "InPlace" | "Renamed") => void
  readonly touch: (path: string) => void
  /** Other bytes are there from now on, and nothing else tells. */
  readonly damage: (path: string, bytes: Uint8Array) => void
  readonly remove: (path: string) => void
  /** The paths of the files in a directory, in the order in which they were made. */
  readonly files: (directory: string) => ReadonlyArray<string>
  readonly bytes: (path: string) => Uint8Array | undefined
  readonly describe: (path: string, aspect: Inode.Aspect) => string
}

export interface View {
  readonly fileSystem: FileSystem.FileSystem
  /** Files that are open. */
  readonly handles: () => number
}

const tags: Partial<Record<Code, SystemErrorTag>> = {
  ENOENT: "NotFound",
  EEXIST: "AlreadyExists",
  EISDIR: "BadResource",
  ENOTDIR: "BadResource"
}

const refusal = (code: Code, { call, path }: Operation) =>
  systemError({
    _tag: tags[code] ?? "Unknown",
    module: "FileSystem",
    method: call,
    pathOrDescriptor: path,
    cause: Object.assign(new Error(`${code}: ${call} '${path}'`), { code })
  })

const split = (path: string): readonly [directory: string, name: string] => {
  const at = path.lastIndexOf("/")
  return [path.slice(0, at) || "/", path.slice(at + 1)]
}

/** The time of a file system goes by ticks of so many milliseconds. */
const tick = 4

export const make = (clock: () => number): Disk => {
  const now = () => Math.floor(clock() / tick) * tick
  const root = Inode.directory(1, now())
  let inodes = 1
  let operations = 0

  const find = (path: string): Inode.Inode | undefined =>
    path
      .split("/")
      .filter((name) => name !== "")
      .reduce<Inode.Inode | undefined>((at, name) => at?.entries?.get(name), root)

  const parentOf = (path: string): readonly [Inode.Inode, string] => {
    const [directory, name] = split(path)
    const parent = find(directory)
    if (parent === undefined) throw new Refused("ENOENT")
    if (parent.entries === undefined) throw new Refused("ENOTDIR")
    return [parent, name]
  }

  const existing = (path: string): Inode.Inode => {
    const inode = find(path)
    if (inode === undefined) throw new Refused("ENOENT")
    return inode
  }

  const fileAt = (path: string): Inode.Inode => {
    const inode = existing(path)
    if (inode.entries !== undefined) throw new Refused("EISDIR")
    return inode
  }

  const create = (path: string): Inode.Inode => {
    const [parent, name] = parentOf(path)
    if (parent.entries?.has(name) === true) throw new Refused("EEXIST")
    const inode = Inode.file(++inodes, now())
    Inode.change(parent, [{ name, inode }])
    return inode
  }

  const opened = (path: string, flag: FileSystem.OpenFlag): Inode.Inode => {
    if (flag.includes("x")) return create(path)
    const there = find(path)
    if (there === undefined && !flag.startsWith("r")) return create(path)
    const inode = existing(path)
    if (flag.startsWith("w")) Inode.truncate(inode, 0, now())
    return inode
  }

  const unlink = (path: string) => {
    const [parent, name] = parentOf(path)
    existing(path)
    Inode.change(parent, [{ name, inode: undefined }])
  }

  const rename = (from: string, to: string) => {
    const inode = existing(from)
    const [parent, name] = parentOf(to)
    const [oldParent, oldName] = parentOf(from)
    if (parent !== oldParent) throw new Error("the disk renames within a directory only")
    Inode.change(parent, [
      { name: oldName, inode: undefined },
      { name, inode }
    ])
  }

  const link = (from: string, to: string) => {
    const inode = existing(from)
    const [parent, name] = parentOf(to)
    if (parent.entries?.has(name) === true) throw new Refused("EEXIST")
    Inode.change(parent, [{ name, inode }])
  }

  const makeDirectory = (path: string) => {
    const [parent, name] = parentOf(path)
    if (parent.entries?.has(name) === true) throw new Refused("EEXIST")
    Inode.change(parent, [{ name, inode: Inode.directory(++inodes, now()) }])
  }

  const setTime = (path: string, mtime: number) => {
    existing(path).mtime = mtime
  }

  /** Reading changes nothing, so that it is one step; everything else is two, and a write three. */
  const run = <A>(gate: Gate, call: Call, path: string, act: () => A) =>
    Effect.andThen(
      gate.pass({ call, path, moment: "before" }),
      Effect.suspend(() => attempt({ call, path, moment: "before" }, act))
    )

  const attempt = <A>(operation: Operation, act: () => A): Effect.Effect<A, PlatformError> => {
    const code = disk.trouble(operations++, operation)
    if (code !== undefined) return Effect.fail(refusal(code, operation))
    try {
      return Effect.succeed(act())
    } catch (error) {
      if (error instanceof Refused) return Effect.fail(refusal(error.code, operation))
      throw error
    }
  }

  const change = <A>(gate: Gate, call: Call, path: string, act: () => A) =>
    Effect.tap(run(gate, call, path, act), () => gate.pass({ call, path, moment: "after" }))

  const append = (gate: Gate, path: string, inode: Inode.Inode, bytes: Uint8Array) => {
    const half = bytes.length >> 1
    const torn = { call: "write", path, moment: "torn" } as const
    return run(gate, "write", path, () => Inode.append(inode, bytes.subarray(0, half), now())).pipe(
      Effect.andThen(gate.pass(torn)),
      Effect.andThen(
        Effect.suspend(() => attempt(torn, () => Inode.append(inode, bytes.subarray(half), now())))
      ),
      Effect.andThen(gate.pass({ call: "write", path, moment: "after" }))
    )
  }

  const view = (gate: Gate): View => {
    let handles = 0
    const readFile = (path: string) => {
      const told = gate.proc(path)
      return told === undefined
        ? run(gate, "read", path, () => fileAt(path).content)
        : Effect.succeed(encoder.encode(told))
    }
    const writeFile: FileSystem.FileSystem["writeFile"] = (path, bytes, options) =>
      Effect.flatMap(
        change(gate, "open", path, () => opened(path, options?.flag ?? "w")),
        (inode) => append(gate, path, inode, bytes)
      )
    const open: FileSystem.FileSystem["open"] = (path, options) => {
      const flag = options?.flag ?? "r"
      const step = flag.startsWith("r") ? run : change
      return Effect.acquireRelease(
        Effect.map(
          step(gate, "open", path, () => opened(path, flag)),
          (inode) => {
            handles++
            return fileOf(gate, path, inode)
          }
        ),
        () => Effect.sync(() => handles--)
      )
    }
    const fileSystem = FileSystem.makeNoop({
      exists: (path) => run(gate, "stat", path, () => find(path) !== undefined),
      stat: (path) => run(gate, "stat", path, () => infoOf(existing(path))),
      realPath: (path) => run(gate, "stat", path, () => (existing(path), path)),
      readFile,
      readFileString: (path) => Effect.map(readFile(path), (bytes) => decoder.decode(bytes)),
      readLink: (path) => {
        const told = gate.proc(path)
        return told === undefined
          ? Effect.fail(refusal("ENOENT", { call: "readLink", path, moment: "before" }))
          : Effect.succeed(told)
      },
      readDirectory: (path) =>
        run(gate, "list", path, () => {
          const { entries } = existing(path)
          if (entries === undefined) throw new Refused("ENOTDIR")
          return Array.from(entries.keys())
        }),
      writeFile,
      writeFileString: (path, text, options) => writeFile(path, encoder.encode(text), options),
      open,
      makeDirectory: (path) => change(gate, "mkdir", path, () => makeDirectory(path)),
      remove: (path) => change(gate, "remove", path, () => unlink(path)),
      rename: (from, to) => change(gate, "rename", from, () => rename(from, to)),
      link: (from, to) => change(gate, "link", to, () => link(from, to)),
      utimes: (path, _, mtime) =>
        change(gate, "utimes", path, () => setTime(path, Number(mtime) * 1000))
    })
    return { fileSystem, handles: () => handles }
  }

  const fileOf = (gate: Gate, path: string, inode: Inode.Inode): FileSystem.File => {
    return {
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      stat: unused,
      seek: () => unused,
      readAlloc: () => unused,
      truncate: () => unused,
      write: () => unused,
      sync: Effect.suspend(() => syncing(gate, path, inode)),
      read: (buffer, options) =>
        run(gate, "read", path, () => Inode.read(inode, buffer, Number(options?.position ?? 0n))),
      writeAll: (bytes) => append(gate, path, inode, bytes)
    }
  }

  /** After a sync that failed, what it was for never gets to the disk: the system has given it up. */
  const syncing = (gate: Gate, path: string, inode: Inode.Inode) =>
    Effect.tapError(
      change(gate, "sync", path, () => Inode.sync(inode)),
      () => Effect.sync(() => Inode.giveUp(inode))
    )

  const disk: Disk = {
    fileSystem: fileSystems.ext4,
    view,
    trouble: () => undefined,
    crash: (choice) => Inode.crash(root, choice),
    put: (path, bytes, how) => {
      const old = find(path)
      const [parent, name] = parentOf(path)
      const inode = old === undefined || how === "Renamed" ? Inode.file(++inodes, now()) : old
      Inode.replace(inode, bytes, now())
      Inode.change(parent, [{ name, inode }])
      Inode.sync(parent)
    },
    touch: (path) => {
      const inode = existing(path)
      inode.mtime = now()
    },
    damage: (path, bytes) => {
      const inode = existing(path)
      Inode.replace(inode, bytes, inode.mtime)
    },
    remove: (path) => {
      unlink(path)
      Inode.sync(parentOf(path)[0])
    },
    files: (directory) =>
      Array.from(find(directory)?.entries?.keys() ?? [], (name) => `${directory}/${name}`),
    bytes: (path) => find(path)?.content,
    describe: (path, aspect) => Inode.describe(existing(path), aspect)
  }
  Inode.change(root, [{ name: "data", inode: Inode.directory(++inodes, now()) }])
  Inode.change(root, [{ name: "work", inode: Inode.directory(++inodes, now()) }])
  Inode.sync(root)
  return disk
}

const unused = Effect.die(new Error("the disk does not know this operation"))

const encoder = new TextEncoder()
const decoder = new TextDecoder()

class Refused extends Error {
  readonly code: Code
  constructor(code: Code) {
    super(code)
    this.code = code
  }
}

const infoOf = (inode: Inode.Inode): FileSystem.File.Info => ({
  type: inode.entries === undefined ? "File" : "Directory",
  mtime: Option.some(new Date(inode.mtime)),
  atime: Option.none(),
  birthtime: Option.none(),
  dev: 1n,
  ino: Option.some(BigInt(inode.number)),
  mode: 0o600,
  nlink: Option.none(),
  uid: Option.none(),
  gid: Option.none(),
  rdev: Option.none(),
  size: ByteSize.bytes(inode.content.length),
  blksize: Option.none(),
  blocks: Option.none()
})
