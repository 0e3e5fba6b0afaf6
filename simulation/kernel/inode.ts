/**
 * A file or directory of the simulated disk: what readers see, what is durable,
 * and the changes in between, in their order.
 */

export interface Inode {
  readonly number: number
  /** In milliseconds since 1970. */
  mtime: number
  /** What readers see of a file. */
  content: Uint8Array
  /** What readers see of a directory; absent for a file. */
  readonly entries?: Map<string, Inode>
  durable: { content: Uint8Array; entries: Map<string, Inode> }
  /** Not synced yet. */
  writes: Array<Write>
  changes: Array<Change>
}

interface Write {
  readonly offset: number
  /** Undefined: the file is cut off at the offset. */
  readonly bytes: Uint8Array | undefined
}

/** Entries that change at one stroke; no inode: the entry goes. */
type Change = ReadonlyArray<{ readonly name: string; readonly inode: Inode | undefined }>

/** What a loss of power leaves of what was not synced. */
export interface Choice {
  readonly keepsWrite: () => boolean
  /** How much of a write that is kept, from 0 to 1. */
  readonly share: () => number
  readonly keepsChange: () => boolean
}

export const nothingKept: Choice = {
  keepsWrite: () => false,
  share: () => 0,
  keepsChange: () => false
}

export const chanceOf = (chance: {
  readonly chance: (probability: number) => boolean
  readonly next: () => number
}): Choice => ({
  keepsWrite: () => chance.chance(0.6),
  share: () => (chance.chance(0.5) ? 1 : chance.next()),
  keepsChange: () => chance.chance(0.5)
})

const nothing = new Uint8Array()

export const file = (number: number, mtime: number): Inode => ({
  number,
  mtime,
  content: nothing,
  durable: { content: nothing, entries: new Map() },
  writes: [],
  changes: []
})

export const directory = (number: number, mtime: number): Inode => ({
  ...file(number, mtime),
  entries: new Map()
})

/** How many bytes were read; 0 at the end. */
export const read = ({ content }: Inode, target: Uint8Array, position: number): number => {
  const bytes = content.subarray(position, position + target.length)
  target.set(bytes)
  return bytes.length
}

export const append = (inode: Inode, bytes: Uint8Array, now: number): void =>
  write(inode, { offset: inode.content.length, bytes }, now)

export const truncate = (inode: Inode, size: number, now: number): void =>
  write(inode, { offset: size, bytes: undefined }, now)

const write = (inode: Inode, change: Write, now: number) => {
  inode.content = apply(inode.content, change)
  inode.writes.push(change)
  inode.mtime = now
}

/** Readers of the old content keep it: nothing is overwritten in memory. */
const apply = (content: Uint8Array, { offset, bytes }: Write): Uint8Array => {
  if (bytes === undefined) return content.slice(0, offset)
  const next = new Uint8Array(Math.max(content.length, offset + bytes.length))
  next.set(content)
  next.set(bytes, offset)
  return next
}

/** Durably. */
export const replace = (inode: Inode, content: Uint8Array, mtime: number): void => {
  inode.content = content
  inode.durable.content = content
  inode.writes = []
  inode.mtime = mtime
}

export const change = (inode: Inode, changes: Change): void => {
  enter(inode.entries, changes)
  inode.changes.push(changes)
}

const enter = (entries: Map<string, Inode> | undefined, changes: Change) => {
  for (const { name, inode } of changes) {
    entries?.delete(name)
    if (inode !== undefined) entries?.set(name, inode)
  }
}

export const sync = (inode: Inode): void => {
  inode.durable.content = inode.writes.reduce(apply, inode.durable.content)
  if (inode.entries !== undefined) inode.durable.entries = new Map(inode.entries)
  inode.writes = []
  inode.changes = []
}

/** What was not synced stays visible, but no later sync brings it to the disk. */
export const giveUp = (inode: Inode): void => {
  inode.writes = []
}

/** What is durable, and what the choice keeps besides, here and below. */
export const crash = (inode: Inode, choice: Choice): void => {
  const writes = inode.writes
    .filter(choice.keepsWrite)
    .map(({ offset, bytes }) => ({ offset, bytes: bytes && cut(bytes, choice.share()) }))
  inode.content = writes.reduce(apply, inode.durable.content)
  inode.durable.content = inode.content
  inode.writes = []
  const { entries } = inode
  if (entries === undefined) return
  const kept = inode.changes.filter(choice.keepsChange)
  entries.clear()
  for (const [name, child] of inode.durable.entries) entries.set(name, child)
  for (const changes of kept) enter(entries, changes)
  inode.durable.entries = new Map(entries)
  inode.changes = []
  for (const child of new Set(entries.values())) crash(child, choice)
}

const cut = (bytes: Uint8Array, share: number) => bytes.subarray(0, Math.ceil(bytes.length * share))

/**
 * What there is of an inode, as text: what readers see, what a loss of power
 * would leave that keeps nothing else, or both and what lies between.
 */
export type Aspect = "Seen" | "Durable" | "All"

export const describe = (inode: Inode, aspect: Aspect): string => {
  const known = new Map<Inode, number>()
  const one = (inode: Inode): unknown => {
    const number = known.get(inode)
    if (number !== undefined) return number
    known.set(inode, known.size)
    const { mtime, entries, durable, writes, changes } = inode
    const seen = () => (entries === undefined ? [mtime, text(inode.content)] : names(entries))
    const kept = () =>
      entries === undefined ? [mtime, text(durable.content)] : names(durable.entries)
    if (aspect !== "All") return aspect === "Seen" ? seen() : kept()
    return [seen(), kept(), writes.map(write), changes.map((change) => change.map(entry))]
  }
  const names = (entries: Map<string, Inode>) =>
    Array.from(entries, ([name, inode]) => [name, one(inode)])
  const entry = ({ name, inode }: Change[number]) => [name, inode && one(inode)]
  const write = ({ offset, bytes }: Write) => [offset, bytes && text(bytes)]
  return JSON.stringify(one(inode))
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1")
