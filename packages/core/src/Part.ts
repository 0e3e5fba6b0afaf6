/**
 * The plan of an upload: which bytes of the source become which part. Pure;
 * it owns the limits of OSS and nothing else.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Bytes from "./internal/byteCount.ts"
import { InvalidRequest } from "./UploadError.ts"

/**
 * A number of bytes, or what Effect's `ByteSize` reads: a bigint, or a text such
 * as `"8 MiB"`. A text that is no length fails when it is used.
 *
 * @category models
 * @since 0.1.0
 */
export type Length = Bytes.Length

/** 1 KiB in bytes. */
const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

/**
 * OSS: each part but the last has at least 100 KiB.
 *
 * @category constants
 * @since 0.1.0
 */
export const minPartSize: number = 100 * KiB

/**
 * OSS: a part has at most 5 GiB.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxPartSize: number = 5 * GiB

/**
 * OSS: an upload has at most 10,000 parts, numbered from 1.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxParts = 10_000

/**
 * OSS: an object has at most 48.8 TiB, which is 10,000 parts of 5 GiB.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxObjectSize: number = maxParts * maxPartSize

/**
 * The largest part size used for files up to 78 GiB, in bytes. `partSizeFor` says
 * which one a file gets: from 8 to 400 MiB somewhat less, above 78 GiB more.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultPartSize: number = 8 * MiB

/**
 * A range of the source.
 *
 * @category models
 * @since 0.1.0
 */
export interface Part {
  /** 1 to 10,000. */
  readonly number: number
  /** Of the part's first byte in the source, in bytes. */
  readonly offset: number
  /** In bytes. */
  readonly size: number
}

/**
 * A part that OSS has acknowledged.
 *
 * @category models
 * @since 0.1.0
 */
export interface UploadedPart extends Part {
  /** As OSS answered it, quotes included. */
  readonly etag: string
  /** CRC-64/XZ of the part's bytes. */
  readonly crc64: bigint
}

/**
 * How a source of `size` bytes is cut.
 *
 * @category models
 * @since 0.1.0
 */
export interface Plan {
  /** Of the whole source, in bytes. */
  readonly size: number
  /** Of each part but the last, in bytes. */
  readonly partSize: number
  /** In order, gapless; together they are the source. Empty for an empty source. */
  readonly parts: ReadonlyArray<Part>
}

/**
 * The part size used when none is asked for, in bytes: 8 MiB, or the smallest
 * whole number of MiB that keeps the upload within 10,000 parts. From 8 to 400
 * MiB it is somewhat less, so that no connection is idle in the last round: the
 * number of parts is a multiple of 5, which is how many go up at once at first.
 *
 * **Example** (ten parts)
 *
 * ```ts
 * import { Part } from "@effect-oss/core"
 *
 * Part.partSizeFor(64 * 1024 ** 2) / 1024 // => 6592
 * ```
 *
 * @category planning
 * @since 0.1.0
 */
export const partSizeFor = (size: number): number => {
  const parts = Math.ceil(size / defaultPartSize)
  if (size >= defaultPartSize && parts <= evenParts) {
    return roundUp(size / roundUp(parts, atOnce), evenStep)
  }
  return Math.max(defaultPartSize, roundUp(size / maxParts, MiB))
}

/** How many parts go up at once at first: `Concurrency.levels`. */
const atOnce = 5

/** With more parts than these, a short last round is a tenth of the time at most. */
const evenParts = 10 * atOnce

/** In bytes: reads stay aligned to pages of memory. */
const evenStep = 64 * 1024

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step

/**
 * Checks a part size that a user gave. Yields it in bytes.
 *
 * @category planning
 * @since 0.1.0
 */
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

/**
 * Checks the size of a source, in bytes.
 *
 * @category planning
 * @since 0.1.0
 */
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

/**
 * Cuts `size` bytes into parts of `given` bytes each.
 *
 * **Example** (three parts)
 *
 * ```ts
 * import { Part } from "@effect-oss/core"
 * import { Result } from "effect"
 *
 * const plan = Result.getOrThrow(Part.plan(250_000, 102_400))
 * plan.parts.map((part) => part.size) // => [102400, 102400, 45200]
 * ```
 *
 * @category planning
 * @since 0.1.0
 */
export const plan = (
  size: number,
  given: Length = partSizeFor(size)
): Result.Result<Plan, InvalidRequest> =>
  Result.gen(function* () {
    yield* validateSize(size)
    const partSize = yield* validatePartSize(given)
    const count = Math.ceil(size / partSize)
    if (count > maxParts) {
      yield* Result.fail(
        new InvalidRequest({
          field: "partSize",
          problem: `${size} bytes in parts of ${partSize} bytes make ${count} parts`,
          remedy: `OSS takes at most ${maxParts} parts: give at least ${partSizeFor(size)} bytes, or leave partSize out`
        })
      )
    }
    return { size, partSize, parts: Array.from({ length: count }, cut(size, partSize)) }
  })

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
 *
 * @category planning
 * @since 0.1.0
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
 * **Example** (around 8 GiB)
 *
 * ```ts
 * import { Part } from "@effect-oss/core"
 *
 * Part.growing(1_024, Part.defaultPartSize).size // => 8388608
 * Part.growing(1_025, Part.defaultPartSize).size // => 10240000
 * ```
 *
 * @category planning
 * @since 0.1.0
 */
export const growing = (number: number, partSize: number): Part => {
  const sizeIn = (step: number) => Math.max(partSize, leastSizes[step] ?? maxPartSize)
  const step = Math.floor((number - 1) / partsPerStep)
  let offset = ((number - 1) % partsPerStep) * sizeIn(step)
  for (let earlier = 0; earlier < step; earlier++) offset += partsPerStep * sizeIn(earlier)
  return { number, offset, size: sizeIn(step) }
}

const cut =
  (size: number, partSize: number) =>
  (_: unknown, index: number): Part => ({
    number: index + 1,
    offset: index * partSize,
    size: Math.min(partSize, size - index * partSize)
  })
