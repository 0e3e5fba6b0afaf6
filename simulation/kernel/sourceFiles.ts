/** The files that are uploaded, how they are read, and every content that they have ever held. */
import * as Crc64 from "@effect-oss/core/Crc64"
import * as Part from "@effect-oss/core/Part"
import * as Source from "@effect-oss/core/Source"
import * as Effect from "effect/Effect"
import { FileSystem } from "effect/FileSystem"
import * as Stream from "effect/Stream"
import type { Disk } from "./disk.ts"
import type { SeededRandom } from "./random.ts"
import * as Random from "./random.ts"

export interface Version {
  readonly bytes: Uint8Array
  readonly crc64: bigint
  readonly from: number
  /** When it was replaced; Infinity while it is there. */
  to: number
}

export interface SourceFile {
  readonly path: string
  readonly versions: Array<Version>
  isThere: boolean
}

/** How a file is read: at any offset, or from start to end as a stream. */
export type Access = "RandomAccess" | "Sequential"

/** A stream that yields its content once; read again, it is empty, as standard input is. */
export const oneShot = (path: string): Source.Source<Source.SourceError, FileSystem> => {
  let isUsed = false
  const once = Stream.suspend(() => {
    if (isUsed) return Stream.empty
    isUsed = true
    return sequential(path)
  })
  return Source.stream(path, once)
}

export const sourceOf = (
  path: string,
  access: Access
): Source.Source<Source.SourceError, FileSystem> =>
  access === "RandomAccess" ? Source.file(path) : Source.stream(path, sequential(path))

const sequential = (path: string): Stream.Stream<Uint8Array, Source.SourceError, FileSystem> =>
  Stream.unwrap(
    Effect.map(
      FileSystem.use((fs) => fs.open(path)),
      (handle) =>
        Stream.unfold(0, (offset) => {
          const piece = new Uint8Array(pieceSize)
          return Effect.map(handle.read(piece, { position: BigInt(offset) }), (read) =>
            read === 0 ? undefined : ([piece.subarray(0, read), offset + read] as const)
          )
        })
    )
  ).pipe(
    Stream.mapError(({ message: description }) => {
      const reason = new Source.SourceUnreadable({ description })
      return new Source.SourceError({ source: path, reason })
    })
  )

/** No power of two, so that pieces don't end where parts do. */
const pieceSize = 30_000

/** Contents are slices of one pool of random bytes: making them costs nothing. */
const pool = (() => {
  const random = Random.make(7)
  return new Uint8Array(Uint32Array.from({ length: 1 << 20 }, () => random.next() * 2 ** 32).buffer)
})()

const { minPartSize } = Part
const sizes = [0, 1, 1_000, minPartSize - 1, minPartSize, minPartSize + 1, 2 * minPartSize]

const drawSize = (random: SeededRandom): number =>
  random.chance(0.4) ? random.pick(sizes) : random.int(1, 5 * minPartSize)

const drawBytes = (random: SeededRandom, size: number): Uint8Array => {
  const offset = random.int(0, pool.length - size)
  return pool.subarray(offset, offset + size)
}

const hold = (file: SourceFile, bytes: Uint8Array, now: number) => {
  const last = file.versions.at(-1)
  if (last !== undefined && last.to === Infinity) last.to = now
  file.versions.push({ bytes, crc64: Crc64.of(bytes), from: now, to: Infinity })
}

export const make = (path: string, random: SeededRandom, disk: Disk, now: number): SourceFile => {
  const file: SourceFile = { path, versions: [], isThere: true }
  const bytes = drawBytes(random, drawSize(random))
  disk.put(path, bytes, "Renamed")
  hold(file, bytes, now)
  return file
}

/** Does to a file what a user may do, and returns what it was, in words. */
export const edit = (
  file: SourceFile,
  world: {
    readonly random: SeededRandom
    readonly disk: Disk
    readonly now: () => number
    readonly after: (millis: number, task: () => void) => void
  }
): string => {
  const { random, disk, now, after } = world
  const old = file.versions.at(-1)?.bytes ?? new Uint8Array()
  const put = (bytes: Uint8Array, how: "InPlace" | "Renamed") => {
    disk.put(file.path, bytes, how)
    file.isThere = true
    hold(file, bytes, now())
  }
  const kind = random.pick(["rewrite", "append", "truncate", "replace", "touch", "delete"] as const)
  if (!file.isThere || kind === "replace") {
    put(drawBytes(random, drawSize(random)), "Renamed")
    return "replaced"
  }
  switch (kind) {
    case "rewrite": {
      const next = drawBytes(random, old.length)
      const half = old.length >> 1
      put(Buffer.concat([next.subarray(0, half), old.subarray(half)]), "InPlace")
      after(random.int(0, 300), () => file.isThere && put(next, "InPlace"))
      return "rewritten in place, half by half"
    }
    case "append":
      put(Buffer.concat([old, drawBytes(random, random.int(1, minPartSize))]), "InPlace")
      return "appended to"
    case "truncate":
      put(old.subarray(0, random.int(0, old.length)), "InPlace")
      return "truncated"
    case "touch":
      disk.touch(file.path)
      return "touched"
    case "delete": {
      disk.remove(file.path)
      file.isThere = false
      const last = file.versions.at(-1)
      if (last !== undefined) last.to = now()
      if (random.chance(0.7)) {
        after(
          random.int(1, 60_000),
          () => file.isThere || put(drawBytes(random, old.length), "Renamed")
        )
      }
      return "deleted"
    }
  }
}

/** Overwrites a file in place with as many other bytes, as an editor may do while it is read. */
export const scribble = (file: SourceFile, random: SeededRandom, disk: Disk, now: number): void => {
  const old = file.versions.at(-1)?.bytes ?? new Uint8Array()
  const next = drawBytes(random, old.length)
  disk.put(file.path, next, "InPlace")
  hold(file, next, now)
}

/** Whether the file had these bytes at some moment between two times, both inclusive. */
export const held = (file: SourceFile, crc64: bigint, from: number, to: number): boolean =>
  file.versions.some(
    (version) => version.crc64 === crc64 && version.from <= to && version.to >= from
  )
