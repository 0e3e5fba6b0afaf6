/** What OSS takes as parts, and how those of a source of unknown length grow. */
import * as Result from "effect/Result"
import type { Length, Part } from "../Part.ts"
import { InvalidRequest } from "../UploadError.ts"
import * as Bytes from "./byteCount.ts"

/** 1 KiB in bytes. */
const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

/** OSS: each part but the last has at least 100 KiB. */
export const minPartSize: number = 100 * KiB

/** OSS: a part has at most 5 GiB. */
export const maxPartSize: number = 5 * GiB

/** OSS: an upload has at most 10,000 parts, numbered from 1. */
export const maxParts = 10_000

/** OSS: an object has at most 48.8 TiB, which is 10,000 parts of 5 GiB. */
export const maxObjectSize: number = maxParts * maxPartSize

/** The largest part size used for files up to 78 GiB, in bytes. `partSizeFor` says which one a file gets. */
export const defaultPartSize: number = 8 * MiB

/** Checks a part size that a user gave. Yields it in bytes. */
export const validatePartSize = (partSize: Length): Result.Result<number, InvalidRequest> => {
  const bytes = Bytes.byteCount(partSize)
  return Number.isSafeInteger(bytes) && bytes >= minPartSize && bytes <= maxPartSize
    ? Result.succeed(bytes)
    : Result.fail(
        new InvalidRequest({
          field: "partSize",
          problem: `${Bytes.shown(partSize)} is outside what OSS takes`,
          remedy: `give a whole number of bytes from ${minPartSize} (100 KiB) to ${maxPartSize} (5 GiB), or a text such as "8 MiB"`
        })
      )
}

/** Checks the size of a source, in bytes. */
export const validateSize = (size: number): Result.Result<number, InvalidRequest> =>
  Number.isSafeInteger(size) && size >= 0 && size <= maxObjectSize
    ? Result.succeed(size)
    : Result.fail(
        new InvalidRequest({
          field: "source",
          problem: `a source of ${size} bytes does not fit into one object`,
          remedy: `OSS takes up to ${maxObjectSize} bytes (48.8 TiB) an object: split the source`
        })
      )

/** So many parts of a source of unknown length have the same size. */
const partsPerStep = 128

/** So many steps double the size, while it is little; each further one adds a quarter. */
const doublings = 6

/** What parts of a source of unknown length have at least, in bytes, by step. In whole numbers, so that every machine computes the same. */
const leastSizes: ReadonlyArray<number> = (() => {
  const sizes = [minPartSize]
  for (let size = minPartSize; size < maxPartSize; sizes.push(size)) {
    const next = sizes.length <= doublings ? 2 * size : Math.floor((5 * size) / 4)
    size = Math.min(next, maxPartSize)
  }
  return sizes
})()

/**
 * Names the rule of `growing`. Another rule has another number, and a
 * checkpoint tells it, so that parts that were cut by another one are never
 * taken for parts of this one.
 */
export const growth = 1

/**
 * The part of that number of a source whose length isn't known beforehand. The
 * first 1,024 parts have the size that is asked for, if that is 8 MiB or more;
 * then each 128 parts are a quarter larger than those before, up to 5 GiB.
 * Smaller ones double each 128 parts until they have caught up. Only the last
 * part is smaller.
 *
 * **Details**
 *
 * Parts are held in memory while they are sent, so that they must not be large
 * while the source may turn out to be small; yet there are but 10,000, and each
 * that is smaller than 5 GiB takes away from what they hold together. Hence
 * this compromise: beyond 8 MiB, a part that has grown never has more than 1/256
 * of what is before it, and from whatever first part, more than half of the
 * largest object there is is reached.
 *
 * | first part | parts have, at 4 GiB |  10 GiB |  100 GiB |     1 TiB | in all there fit |
 * | ---------: | -------------------: | ------: | -------: | --------: | ---------------: |
 * |    100 KiB |               12 MiB |  24 MiB |  178 MiB |   1.6 GiB |         28.8 TiB |
 * |      8 MiB |                8 MiB |  12 MiB |  178 MiB |   1.6 GiB |         28.8 TiB |
 * |     64 MiB |               64 MiB |  64 MiB |   64 MiB |   1.6 GiB |         28.9 TiB |
 * |      1 GiB |                1 GiB |   1 GiB |    1 GiB |     1 GiB |         31.9 TiB |
 * |      5 GiB |                5 GiB |   5 GiB |    5 GiB |     5 GiB |         48.8 TiB |
 *
 * Who knows a bound gives `partSizeFor(bound)` as the first part's size: then
 * that much fits in any case.
 *
 * Around 8 GiB: part 1,024 has 8 MiB, and part 1,025 has 10,240,000 bytes.
 */
export const growing = (number: number, partSize: number): Part => {
  const sizeIn = (step: number) => Math.max(partSize, leastSizes[step] ?? maxPartSize)
  const step = Math.floor((number - 1) / partsPerStep)
  let offset = ((number - 1) % partsPerStep) * sizeIn(step)
  for (let earlier = 0; earlier < step; earlier++) offset += partsPerStep * sizeIn(earlier)
  return { number, offset, size: sizeIn(step) }
}

/** The bytes in some parts. */
export const bytesOf = (parts: Iterable<Part>): number => {
  let bytes = 0
  for (const part of parts) bytes += part.size
  return bytes
}
