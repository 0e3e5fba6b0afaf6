/** The files that are uploaded, how they are read, and everything that they have ever held. */
import * as Crc64 from "@effect-oss/core/Crc64"
import * as Part from "@effect-oss/core/Part"
import * as Source from "@effect-oss/core/Source"
import * as Effect from "effect/Effect"
import { FileSystem } from "effect/FileSystem"
import * as Stream from "effect/Stream"
import type { Dice } from "./Dice.ts"
import * as DiceOf from "./Dice.ts"
import type { Disk } from "./Disk.ts"

export interface Version {
  readonly bytes: Uint8Array
  readonly crc64: bigint
  readonly from: number
  /** When it was replaced; Infinity while it is there. */
  to: number
}

export interface Original {
  readonly path: string
  readonly versions: Array<Version>
  isThere: boolean
}

/** How a file is read: at any place, or from the start to the end as a stream is. */
export type Way = "AtAnyPlace" | "InOrder"

export const sourceOf = (path: string, way: Way): Source.Source<Source.SourceError, FileSystem> =>
  way === "AtAnyPlace" ? Source.file(path) : Source.stream(path, inOrder(path))

const inOrder = (path: string): Stream.Stream<Uint8Array, Source.SourceError, FileSystem> =>
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

/** Contents are cut out of one sea of chance: making them costs nothing. */
const sea = (() => {
  const dice = DiceOf.make(7)
  return new Uint8Array(Uint32Array.from({ length: 1 << 20 }, () => dice.next() * 2 ** 32).buffer)
})()

const { minPartSize } = Part
const sizes = [0, 1, 1_000, minPartSize - 1, minPartSize, minPartSize + 1, 2 * minPartSize]

const drawSize = (dice: Dice): number =>
  dice.chance(0.4) ? dice.pick(sizes) : dice.int(1, 5 * minPartSize)

const drawBytes = (dice: Dice, size: number): Uint8Array => {
  const offset = dice.int(0, sea.length - size)
  return sea.subarray(offset, offset + size)
}

const hold = (original: Original, bytes: Uint8Array, now: number) => {
  const last = original.versions.at(-1)
  if (last !== undefined && last.to === Infinity) last.to = now
  original.versions.push({ bytes, crc64: Crc64.of(bytes), from: now, to: Infinity })
}

export const make = (path: string, dice: Dice, disk: Disk, now: number): Original => {
  const original: Original = { path, versions: [], isThere: true }
  const bytes = drawBytes(dice, drawSize(dice))
  disk.put(path, bytes, "Renamed")
  hold(original, bytes, now)
  return original
}

/** What a user may do to a file; says what it was. */
export const edit = (
  original: Original,
  world: {
    readonly dice: Dice
    readonly disk: Disk
    readonly now: () => number
    readonly after: (millis: number, task: () => void) => void
  }
): string => {
  const { dice, disk, now, after } = world
  const old = original.versions.at(-1)?.bytes ?? new Uint8Array()
  const put = (bytes: Uint8Array, how: "InPlace" | "Renamed") => {
    disk.put(original.path, bytes, how)
    original.isThere = true
    hold(original, bytes, now())
  }
  const kind = dice.pick(["rewrite", "append", "truncate", "replace", "touch", "delete"] as const)
  if (!original.isThere || kind === "replace") {
    put(drawBytes(dice, drawSize(dice)), "Renamed")
    return "replaced"
  }
  switch (kind) {
    case "rewrite": {
      const next = drawBytes(dice, old.length)
      const half = old.length >> 1
      put(Buffer.concat([next.subarray(0, half), old.subarray(half)]), "InPlace")
      after(dice.int(0, 300), () => original.isThere && put(next, "InPlace"))
      return "rewritten in place, half by half"
    }
    case "append":
      put(Buffer.concat([old, drawBytes(dice, dice.int(1, minPartSize))]), "InPlace")
      return "appended to"
    case "truncate":
      put(old.subarray(0, dice.int(0, old.length)), "InPlace")
      return "truncated"
    case "touch":
      disk.touch(original.path)
      return "touched"
    case "delete": {
      disk.remove(original.path)
      original.isThere = false
      const last = original.versions.at(-1)
      if (last !== undefined) last.to = now()
      if (dice.chance(0.7)) {
        after(
          dice.int(1, 60_000),
          () => original.isThere || put(drawBytes(dice, old.length), "Renamed")
        )
      }
      return "deleted"
    }
  }
}

/** What somebody may do who is at it just while it is read: other bytes, as many, in its place. */
export const scribble = (original: Original, dice: Dice, disk: Disk, now: number): void => {
  const old = original.versions.at(-1)?.bytes ?? new Uint8Array()
  const next = drawBytes(dice, old.length)
  disk.put(original.path, next, "InPlace")
  hold(original, next, now)
}

/** Whether the file held these bytes at some moment between two times, both inclusive. */
export const held = (original: Original, crc64: bigint, from: number, to: number): boolean =>
  original.versions.some(
    (version) => version.crc64 === crc64 && version.from <= to && version.to >= from
  )
