/**
 * The directories and files of the simulated disk: what each operation does to
 * them. An operation that a real file system would refuse throws `Refused`.
 */
import type * as FileSystem from "effect/FileSystem"
import * as Inode from "./inode.ts"

export type Code = "ENOENT" | "EEXIST" | "EISDIR" | "ENOTDIR" | "ENOSPC" | "EIO" | "EROFS"

/** The file system refuses an operation. */
export class Refused extends Error {
  readonly code: Code
  constructor(code: Code) {
    super(code)
    this.code = code
  }
}

export interface Tree {
  readonly root: Inode.Inode
  readonly find: (path: string) => Inode.Inode | undefined
  readonly existing: (path: string) => Inode.Inode
  readonly fileAt: (path: string) => Inode.Inode
  readonly open: (path: string, flag: FileSystem.OpenFlag) => Inode.Inode
  readonly unlink: (path: string) => void
  readonly rename: (from: string, to: string) => void
  readonly link: (from: string, to: string) => void
  readonly makeDirectory: (path: string) => void
  readonly setTime: (path: string, mtime: number) => void
  /** Puts durable bytes at a path, into the file that is there or into a new one. */
  readonly put: (path: string, bytes: Uint8Array, how: "InPlace" | "Renamed") => void
  /** Removes an entry durably. */
  readonly remove: (path: string) => void
}

/** `now` is the time of the file system. */
export const make = (now: () => number): Tree => {
  const root = Inode.directory(1, now())
  let inodes = 1

  const { find, parentOf, vacant, existing } = lookups(root)

  const create = (path: string): Inode.Inode => {
    const [parent, name] = vacant(path)
    const inode = Inode.file(++inodes, now())
    Inode.change(parent, [{ name, inode }])
    return inode
  }

  const unlink = (path: string) => {
    const [parent, name] = parentOf(path)
    existing(path)
    Inode.change(parent, [{ name, inode: undefined }])
  }

  return {
    root,
    find,
    existing,
    fileAt: (path) => {
      const inode = existing(path)
      if (inode.entries !== undefined) throw new Refused("EISDIR")
      return inode
    },
    open: (path, flag) => {
      if (flag.includes("x")) return create(path)
      if (find(path) === undefined && !flag.startsWith("r")) return create(path)
      const inode = existing(path)
      if (flag.startsWith("w")) Inode.truncate(inode, 0, now())
      return inode
    },
    unlink,
    rename: (from, to) => {
      const inode = existing(from)
      const [parent, name] = parentOf(to)
      const [oldParent, oldName] = parentOf(from)
      if (parent !== oldParent) throw new Error("the disk renames within a directory only")
      Inode.change(parent, [
        { name: oldName, inode: undefined },
        { name, inode }
      ])
    },
    link: (from, to) => {
      const inode = existing(from)
      const [parent, name] = vacant(to)
      Inode.change(parent, [{ name, inode }])
    },
    makeDirectory: (path) => {
      const [parent, name] = vacant(path)
      Inode.change(parent, [{ name, inode: Inode.directory(++inodes, now()) }])
    },
    setTime: (path, mtime) => {
      existing(path).mtime = mtime
    },
    put: (path, bytes, how) => {
      const old = find(path)
      const [parent, name] = parentOf(path)
      const inode = old === undefined || how === "Renamed" ? Inode.file(++inodes, now()) : old
      Inode.replace(inode, bytes, now())
      Inode.change(parent, [{ name, inode }])
      Inode.sync(parent)
    },
    remove: (path) => {
      unlink(path)
      Inode.sync(parentOf(path)[0])
    }
  }
}

const split = (path: string): readonly [directory: string, name: string] => {
  const at = path.lastIndexOf("/")
  return [path.slice(0, at) || "/", path.slice(at + 1)]
}

const lookups = (root: Inode.Inode) => {
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

  /** The parent of an entry that is not there yet. */
  const vacant = (path: string): readonly [Inode.Inode, string] => {
    const [parent, name] = parentOf(path)
    if (parent.entries?.has(name) === true) throw new Refused("EEXIST")
    return [parent, name]
  }

  const existing = (path: string): Inode.Inode => {
    const inode = find(path)
    if (inode === undefined) throw new Refused("ENOENT")
    return inode
  }

  return { find, parentOf, vacant, existing }
}
