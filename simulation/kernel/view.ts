/** The disk as one process sees it: Effect's `FileSystem`, with a gate at each step. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError, SystemErrorTag } from "effect/PlatformError"
import { systemError } from "effect/PlatformError"
import type { Call, Gate, Operation } from "./disk.ts"
import * as Inode from "./inode.ts"
import { Refused } from "./tree.ts"
import type { Code, Tree } from "./tree.ts"

export interface View {
  readonly fileSystem: FileSystem.FileSystem
  /** The number of open files. */
  readonly handles: () => number
}

export interface Options {
  readonly gate: Gate
  readonly tree: Tree
  /** The time of the file system. */
  readonly now: () => number
  /** Sizes that stat tells instead of the true ones, by path. */
  readonly lies: ReadonlyMap<string, number>
  /** Whether an operation fails, and how. */
  readonly refuses: (operation: Operation) => Code | undefined
}

export const make = (options: Options): View => {
  const { gate, tree, lies } = options
  const { run, change, append } = stepsOf(options)
  let handles = 0

  const readFile = (path: string) => {
    const told = gate.proc(path)
    return told === undefined
      ? run("read", path, () => tree.fileAt(path).content)
      : Effect.succeed(encoder.encode(told))
  }
  const writeFile: FileSystem.FileSystem["writeFile"] = (path, bytes, options) =>
    Effect.flatMap(
      change("open", path, () => tree.open(path, options?.flag ?? "w")),
      (inode) => append(path, inode, bytes)
    )
  const open: FileSystem.FileSystem["open"] = (path, given) => {
    const flag = given?.flag ?? "r"
    const step = flag.startsWith("r") ? run : change
    return Effect.acquireRelease(
      Effect.map(
        step("open", path, () => tree.open(path, flag)),
        (inode) => {
          handles++
          return fileOf(options, path, inode)
        }
      ),
      () => Effect.sync(() => handles--)
    )
  }
  const fileSystem = FileSystem.makeNoop({
    exists: (path) => run("stat", path, () => tree.find(path) !== undefined),
    stat: (path) =>
      run("stat", path, () => {
        const info = infoOf(tree.existing(path))
        const size = lies.get(path)
        return size === undefined ? info : { ...info, size: ByteSize.bytes(size) }
      }),
    realPath: (path) => run("stat", path, () => (tree.existing(path), path)),
    readFile,
    readFileString: (path) => Effect.map(readFile(path), (bytes) => decoder.decode(bytes)),
    readLink: (path) => {
      const told = gate.proc(path)
      return told === undefined
        ? Effect.fail(refusal("ENOENT", { call: "readLink", path, moment: "before" }))
        : Effect.succeed(told)
    },
    readDirectory: (path) =>
      run("list", path, () => {
        const { entries } = tree.existing(path)
        if (entries === undefined) throw new Refused("ENOTDIR")
        return Array.from(entries.keys())
      }),
    writeFile,
    writeFileString: (path, text, options) => writeFile(path, encoder.encode(text), options),
    open,
    makeDirectory: (path) => change("mkdir", path, () => tree.makeDirectory(path)),
    remove: (path) => change("remove", path, () => tree.unlink(path)),
    rename: (from, to) => change("rename", from, () => tree.rename(from, to)),
    link: (from, to) => change("link", to, () => tree.link(from, to)),
    utimes: (path, _, mtime) =>
      change("utimes", path, () => tree.setTime(path, Number(mtime) * 1000))
  })
  return { fileSystem, handles: () => handles }
}

/** An operation that only reads is one step; any other is two, and a write three. */
const stepsOf = ({ gate, refuses, now }: Options) => {
  const attempt = <A>(operation: Operation, act: () => A): Effect.Effect<A, PlatformError> => {
    const code = refuses(operation)
    if (code !== undefined) return Effect.fail(refusal(code, operation))
    try {
      return Effect.succeed(act())
    } catch (error) {
      if (error instanceof Refused) return Effect.fail(refusal(error.code, operation))
      throw error
    }
  }

  const run = <A>(call: Call, path: string, act: () => A) =>
    Effect.andThen(
      gate.pass({ call, path, moment: "before" }),
      Effect.suspend(() => attempt({ call, path, moment: "before" }, act))
    )

  const change = <A>(call: Call, path: string, act: () => A) =>
    Effect.tap(run(call, path, act), () => gate.pass({ call, path, moment: "after" }))

  const append = (path: string, inode: Inode.Inode, bytes: Uint8Array) => {
    const half = bytes.length >> 1
    const torn = { call: "write", path, moment: "torn" } as const
    return run("write", path, () => Inode.append(inode, bytes.subarray(0, half), now())).pipe(
      Effect.andThen(gate.pass(torn)),
      Effect.andThen(
        Effect.suspend(() => attempt(torn, () => Inode.append(inode, bytes.subarray(half), now())))
      ),
      Effect.andThen(gate.pass({ call: "write", path, moment: "after" }))
    )
  }
  return { run, change, append }
}

const fileOf = (options: Options, path: string, inode: Inode.Inode): FileSystem.File => {
  const { run, change, append } = stepsOf(options)
  return {
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    stat: unused,
    seek: () => unused,
    readAlloc: () => unused,
    truncate: () => unused,
    write: () => unused,
    // After a sync that failed, the system has given up the bytes: they never get to the disk.
    sync: Effect.suspend(() =>
      Effect.tapError(
        change("sync", path, () => Inode.sync(inode)),
        () => Effect.sync(() => Inode.giveUp(inode))
      )
    ),
    read: (buffer, options) =>
      run("read", path, () => Inode.read(inode, buffer, Number(options?.position ?? 0n))),
    writeAll: (bytes) => append(path, inode, bytes)
  }
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

const unused = Effect.die(new Error("the disk does not know this operation"))

const encoder = new TextEncoder()
const decoder = new TextDecoder()

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
