/**
 * The plan of an upload: which bytes of the source become which part. This module
 * is pure, and it knows the limits of OSS.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Bytes from "./internal/byteCount.ts"
import * as Parts from "./internal/parts.ts"
import { InvalidRequest } from "./UploadError.ts"

/**
 * A length: a number of bytes, a bigint, or a text such as `"8 MiB"`, as Effect's
 * `ByteSize` reads it. A text that isn't a length fails when it is used.
 *
 * @category models
 * @since 0.1.0
 */
export type Length = Bytes.Length

/**
 * The smallest part that OSS accepts, except for the last part: 100 KiB, in bytes.
 *
 * @category constants
 * @since 0.1.0
 */
export const minPartSize: number = Parts.minPartSize

/**
 * A range of the source.
 *
 * @category models
 * @since 0.1.0
 */
export interface Part {
  /** The number of the part, from 1 to 10,000. */
  readonly number: number
  /** Where the part begins in the source, in bytes. */
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
  /** As OSS returned it, quotes included. */
  readonly etag: string
  /** CRC-64/XZ of the part's bytes. */
  readonly crc64: bigint
}

/**
 * The parts of a source of `size` bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Plan {
  /** The size of the whole source, in bytes. */
  readonly size: number
  /** The size of each part but the last, in bytes. */
  readonly partSize: number
  /** All parts of the source, in order and without gaps. Empty for an empty source. */
  readonly parts: ReadonlyArray<Part>
}

/**
 * The default part size for a source of `size` bytes, in bytes: 8 MiB, or the
 * smallest whole number of MiB that keeps the upload within 10,000 parts. Sources of
 * 8 to 400 MiB get smaller parts, down to 1.6 MiB. Their number is a multiple of 5,
 * the number of parts sent at once at first, so no connection is idle at the end.
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
  const parts = Math.ceil(size / Parts.defaultPartSize)
  if (size >= Parts.defaultPartSize && parts <= evenParts) {
    return roundUp(size / roundUp(parts, atOnce), evenStep)
  }
  return Math.max(Parts.defaultPartSize, roundUp(size / Parts.maxParts, 1024 * 1024))
}

/** How many parts are sent at once at first: `levels` of `internal/slots/concurrency.ts`. */
const atOnce = 5

/** With more parts than this, a short last round takes a tenth of the time at most. */
const evenParts = 10 * atOnce

/** In bytes. Keeps reads aligned to pages of memory. */
const evenStep = 64 * 1024

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step

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
    yield* Parts.validateSize(size)
    const partSize = yield* Parts.validatePartSize(given)
    const count = Math.ceil(size / partSize)
    if (count > Parts.maxParts) {
      yield* Result.fail(
        new InvalidRequest({
          field: "partSize",
          problem: `${size} bytes in parts of ${partSize} bytes make ${count} parts`,
          remedy: `OSS takes at most ${Parts.maxParts} parts: give at least ${partSizeFor(size)} bytes, or leave partSize out`
        })
      )
    }
    return { size, partSize, parts: Array.from({ length: count }, cut(size, partSize)) }
  })

const cut =
  (size: number, partSize: number) =>
  (_: unknown, index: number): Part => ({
    number: index + 1,
    offset: index * partSize,
    size: Math.min(partSize, size - index * partSize)
  })
