/**
 * Stores bytes in memory or in files. Bytes pass through MD5 and CRC64, one
 * piece at a time.
 *
 * Data could be lost here, so a blob gets its name only once all of it is
 * written. Files are not synced: they survive a kill of the process, but not a
 * power cut.
 */
import { createHash } from "node:crypto"
import * as Crc64 from "@effect-oss/core/Crc64"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import type { Blob } from "../state/model.ts"
import { ensureDirectory } from "./directory.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "../wire/errors.ts"

/** Stores bytes under ids that the caller chooses. */
export interface Blobs {
  /** Stores all pieces, or nothing if they fail or the effect is interrupted. */
  readonly write: <E>(
    id: string,
    pieces: Stream.Stream<Uint8Array, E>
  ) => Effect.Effect<Blob, E | Refusal>
  readonly read: (
    id: string,
    range: { readonly offset: number; readonly size: number }
  ) => Stream.Stream<Uint8Array, PlatformError>
  readonly remove: (id: string) => Effect.Effect<void>
  /** Removes the blobs that the predicate rejects. */
  readonly prune: (keep: (id: string) => boolean) => Effect.Effect<void, PlatformError>
}

/** The refusal for a full or broken disk. */
export const diskFailed = (error: PlatformError): Refusal => refuse("InternalError", error.message)

/** Runs pieces through MD5 and CRC64 into `sink`. */
const digest = <E, E2>(
  id: string,
  pieces: Stream.Stream<Uint8Array, E>,
  sink: (piece: Uint8Array) => Effect.Effect<void, E2>
): Effect.Effect<Blob, E | E2> =>
  Effect.suspend(() => {
    const md5 = createHash("md5")
    let size = 0
    let crc64 = 0n
    const take = (piece: Uint8Array) => {
      md5.update(piece)
      crc64 = Crc64.of(piece, crc64)
      size += piece.length
      return sink(piece)
    }
    return Effect.map(Stream.runForEach(pieces, take), () => ({
      id,
      size,
      md5: md5.digest("hex").toUpperCase(),
      crc64
    }))
  })

/** Keeps the pieces without a copy: the caller must not write to them again. */
export const memory = Effect.sync((): Blobs => {
  const blobs = new Map<string, ReadonlyArray<Uint8Array>>()
  return {
    write: (id, pieces) =>
      Effect.suspend(() => {
        const kept: Array<Uint8Array> = []
        return digest(id, pieces, (piece) => Effect.sync(() => void kept.push(piece))).pipe(
          Effect.tap(() => Effect.sync(() => blobs.set(id, kept)))
        )
      }),
    read: (id, range) => Stream.suspend(() => Stream.fromArray(cut(blobs.get(id) ?? [], range))),
    remove: (id) => Effect.sync(() => void blobs.delete(id)),
    prune: () => Effect.void
  }
})

const cut = (
  pieces: ReadonlyArray<Uint8Array>,
  range: { readonly offset: number; readonly size: number }
): ReadonlyArray<Uint8Array> => {
  const found: Array<Uint8Array> = []
  let start = 0
  for (const piece of pieces) {
    const from = Math.max(range.offset - start, 0)
    const to = Math.min(range.offset + range.size - start, piece.length)
    if (from < to) found.push(piece.subarray(from, to))
    start += piece.length
  }
  return found
}

const pieceSize = 256 * 1024

/** One file for each blob. */
export const directory = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* ensureDirectory(folder)
  const fileOf = (id: string) => path.join(folder, id)

  const remove = (name: string) => Effect.ignore(fs.remove(fileOf(name), { force: true }))

  const write: Blobs["write"] = Effect.fnUntraced(function* (id, pieces) {
    const unfinished = `${id}.part`
    return yield* Effect.mapError(
      fs.open(fileOf(unfinished), { flag: "wx", mode: 0o600 }),
      diskFailed
    ).pipe(
      Effect.flatMap((file) =>
        digest(id, pieces, (piece) => Effect.mapError(file.writeAll(piece), diskFailed))
      ),
      Effect.scoped,
      Effect.tap(() => Effect.mapError(fs.rename(fileOf(unfinished), fileOf(id)), diskFailed)),
      Effect.onError(() => remove(unfinished))
    )
  })

  const blobs: Blobs = {
    write,
    read: (id, { offset, size }) =>
      size === 0
        ? Stream.empty
        : fs.stream(fileOf(id), { offset, bytesToRead: size, chunkSize: pieceSize }),
    remove,
    prune: (keep) =>
      Effect.flatMap(fs.readDirectory(folder), (names) =>
        Effect.forEach(
          names.filter((name) => !keep(name)),
          remove,
          { discard: true }
        )
      )
  }
  return blobs
})
