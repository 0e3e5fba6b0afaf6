/**
 * A disk in memory that knows what is durable. Every reader sees written bytes,
 * and entries that were made, renamed or removed in a directory, at once. They
 * survive a loss of power only if they were synced. Of the others, the random
 * choice keeps what a real disk might: writes in any order and cut off, names
 * in any combination, each change of a name whole.
 *
 * A process sees the disk through a view of its own (`view.ts`), whose every
 * operation passes a gate before and after it happens, and in the middle of a
 * write.
 */
import type { Effect } from "effect/Effect"
import * as Inode from "./inode.ts"
import * as Tree from "./tree.ts"
import type { Code } from "./tree.ts"
import * as View from "./view.ts"

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
  readonly pass: (operation: Operation) => Effect<void>
  /** What the kernel says about processes, by path. */
  readonly proc: (path: string) => string | undefined
}

/** Magic numbers of statfs(2). */
export const fileSystems = { ext4: 0xef53, nfs: 0x6969 }

export interface Disk {
  /** The kind of its file system: a disk that several hosts share has another one. Default: ext4. */
  fileSystem: number
  readonly view: (gate: Gate) => View.View
  /** Power fails: `choice` decides what is kept of that which was not synced. No view may be used afterwards. */
  readonly crash: (choice: Inode.Choice) => void
  /** Decides which operations fail, by their number, from 0, and by the operation. */
  trouble: (number: number, operation: Operation) => Code | undefined
  /** What a user does, durably. */
  readonly put: (path: string, bytes: Uint8Array, how: "InPlace" | "Renamed") => void
  /** Makes a directory durably, unless it is there. */
  readonly putDirectory: (path: string) => void
  readonly touch: (path: string) => void
  /** Replaces the bytes of a file, and nothing shows that. */
  readonly damage: (path: string, bytes: Uint8Array) => void
  readonly remove: (path: string) => void
  /** Creates a directory durably, if there is none. */
  readonly makeDirectory: (path: string) => void
  /** The paths of the files in a directory and below, in the order in which they were made. */
  readonly files: (directory: string) => ReadonlyArray<string>
  readonly bytes: (path: string) => Uint8Array | undefined
  /** Sizes that stat tells instead of the true ones, by path. */
  readonly lies: Map<string, number>
  readonly describe: (path: string, aspect: Inode.Aspect) => string
}

/** The time of a file system advances in ticks of this many milliseconds. */
const tick = 4

export const make = (clock: () => number): Disk => {
  const now = () => Math.floor(clock() / tick) * tick
  const tree = Tree.make(now)
  const lies = new Map<string, number>()
  let operations = 0
  const refuses = (operation: Operation) => disk.trouble(operations++, operation)
  const disk: Disk = {
    fileSystem: fileSystems.ext4,
    lies,
    view: (gate) => View.make({ gate, tree, now, refuses, lies }),
    trouble: () => undefined,
    crash: (choice) => Inode.crash(tree.root, choice),
    put: tree.put,
    putDirectory: (path) => {
      if (tree.find(path) !== undefined) return
      tree.makeDirectory(path)
      Inode.sync(tree.existing("/work"))
    },
    touch: (path) => tree.setTime(path, now()),
    damage: (path, bytes) => {
      const inode = tree.existing(path)
      Inode.replace(inode, bytes, inode.mtime)
    },
    remove: tree.remove,
    makeDirectory: (path) => {
      if (tree.find(path) === undefined) tree.makeDirectory(path)
      Inode.sync(tree.existing(path.slice(0, path.lastIndexOf("/"))))
    },
    files: (directory) => filesIn(directory, tree.find(directory)),
    bytes: (path) => tree.find(path)?.content,
    describe: (path, aspect) => Inode.describe(tree.existing(path), aspect)
  }
  for (const path of ["/data", "/work"]) tree.makeDirectory(path)
  Inode.sync(tree.root)
  return disk
}

const filesIn = (path: string, inode: Inode.Inode | undefined): ReadonlyArray<string> =>
  inode?.entries === undefined
    ? []
    : Array.from(inode.entries).flatMap(([name, below]) =>
        below.entries === undefined ? [`${path}/${name}`] : filesIn(`${path}/${name}`, below)
      )
