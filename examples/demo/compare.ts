import { Effect, FileSystem, Option, Stream } from "effect"

/** The offset of the first byte in which a stream differs from a file of the same size; none if they are identical. */
export const differenceFrom = Effect.fnUntraced(function* <E, R>(
  path: string,
  stream: Stream.Stream<Uint8Array, E, R>
) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* fs.open(path, { flag: "r" })
  return yield* stream.pipe(
    Stream.mapAccumEffect(
      () => 0,
      (offset, piece) =>
        Effect.gen(function* () {
          const same = Buffer.alloc(piece.length)
          for (let filled = 0, read = 1; filled < same.length && read > 0; filled += read) {
            read = yield* file.read(same.subarray(filled), { position: BigInt(offset + filled) })
          }
          const at = same.equals(piece)
            ? -1
            : piece.findIndex((byte, index) => byte !== same[index])
          return [
            offset + piece.length,
            [at < 0 ? Option.none<number>() : Option.some(offset + at)]
          ] as const
        })
    ),
    Stream.filter(Option.isSome),
    Stream.runHead,
    Effect.map(Option.flatten)
  )
}, Effect.scoped)
