/** The limits of OSS for parts, and how the parts of a source of unknown length grow. */
import * as Result from "effect/Result"
import type { Length, Part } from "../Part.ts"
import { InvalidRequest } from "../UploadError.ts"
import * as Bytes from "./byteCount.ts"

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

/** The largest default part size of sources up to 78 GiB, in bytes: see `Part.partSizeFor`. */
export const defaultPartSize: number = 8 * MiB

/** Checks a part size that a user gave. Returns it in bytes. */
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

/** How many parts are in one step. All parts of a step have the same size. */
const partsPerStep = 128

/** How many steps double the minimum size at first. Each later step adds a quarter. */
const doublings = 6

/** The minimum part size of each step, in bytes. Whole numbers: every machine computes the same. */
const leastSizes: ReadonlyArray<number> = (() => {
  const sizes = [minPartSize]
  for (let size = minPartSize; size < maxPartSize; sizes.push(size)) {
    const next = sizes.length <= doublings ? 2 * size : Math.floor((5 * size) / 4)
    size = Math.min(next, maxPartSize)
  }
  return sizes
})()

/**
 * The version of the rule in `growing`. A checkpoint records it, so parts that
 * were cut by another rule are never taken for parts of this one.
 */
export const growth = 1

/**
 * The part with this number of a source of unknown length. A part has the
 * requested size `partSize`, or the minimum of its step if that is larger. Each
 * step is 128 parts. The minimum begins at 100 KiB, doubles for six steps, and
 * then grows by a quarter each step, up to 5 GiB. So at least the first 1,024
 * parts have the requested size if that is 8 MiB or more. Only the last part of
 * a source is smaller.
 *
 * **Details**
 *
 * Parts are held in memory while they are sent, so they must be small while the
 * source may turn out to be small. But an object has at most 10,000 parts, so
 * each small part reduces the size that fits. The rule is a compromise: beyond
 * 8 MiB, a part that has grown has at most 1/256 of the bytes before it, and with
 * any first part, more than half of the largest possible object fits.
 *
 * | first part |   part size at 4 GiB |  10 GiB |  100 GiB |     1 TiB |   maximum object |
 * | ---------: | -------------------: | ------: | -------: | --------: | ---------------: |
 * |    100 KiB |               12 MiB |  24 MiB |  178 MiB |   1.6 GiB |         28.8 TiB |
 * |      8 MiB |                8 MiB |  12 MiB |  178 MiB |   1.6 GiB |         28.8 TiB |
 * |     64 MiB |               64 MiB |  64 MiB |   64 MiB |   1.6 GiB |         28.9 TiB |
 * |      1 GiB |                1 GiB |   1 GiB |    1 GiB |     1 GiB |         31.9 TiB |
 * |      5 GiB |                5 GiB |   5 GiB |    5 GiB |     5 GiB |         48.8 TiB |
 *
 * If you know an upper bound of the size, use `partSizeFor(bound)` as the first
 * part's size: then the source fits in any case.
 *
 * With a first part of 8 MiB, part 1,024 has 8 MiB, and part 1,025, which begins
 * at 8 GiB, has 10,240,000 bytes.
 */
export const growing = (number: number, partSize: number): Part => {
  const sizeIn = (step: number) => Math.max(partSize, leastSizes[step] ?? maxPartSize)
  const step = Math.floor((number - 1) / partsPerStep)
  let offset = ((number - 1) % partsPerStep) * sizeIn(step)
  for (let earlier = 0; earlier < step; earlier++) offset += partsPerStep * sizeIn(earlier)
  return { number, offset, size: sizeIn(step) }
}

/** The total size of parts, in bytes. */
export const bytesOf = (parts: Iterable<Part>): number => {
  let bytes = 0
  for (const part of parts) bytes += part.size
  return bytes
}
