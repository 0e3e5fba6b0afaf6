/**
 * Sizes, rates and times as people write and read them.
 *
 * @since 0.1.0
 */
import type * as Option from "effect/Option"
import * as Result from "effect/Result"
import { UsageError } from "./CliFailure.ts"

/** Of each unit, in bytes; a lone letter counts as binary, as `dd` and `truncate` have it. */
const units: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 2 ** 10,
  kib: 2 ** 10,
  kb: 1e3,
  m: 2 ** 20,
  mib: 2 ** 20,
  mb: 1e6,
  g: 2 ** 30,
  gib: 2 ** 30,
  gb: 1e9
}

/**
 * What a size may look like, in one line.
 *
 * @category constants
 * @since 0.1.0
 */
export const syntax =
  "bytes, or a number with KiB, MiB, GiB (powers of 1024; K, M, G mean the same) or KB, MB, GB (powers of 1000)"

/**
 * Reads a size: a whole number of bytes, whatever the unit.
 *
 * **Example** (the units)
 *
 * ```ts
 * import { Size } from "@effect-oss/cli"
 * import { Result } from "effect"
 *
 * Result.getOrThrow(Size.parse("--part-size", "8MiB")) // => 8388608
 * Result.getOrThrow(Size.parse("--part-size", "1.5 MB")) // => 1500000
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse = (flag: string, text: string): Result.Result<number, UsageError> => {
  const [, digits = "", unit = ""] = /^(\d{1,16}(?:\.\d{1,9})?) ?([a-z]*)$/i.exec(text.trim()) ?? []
  const factor = units[unit.toLowerCase()]
  const bytes = digits === "" || factor === undefined ? Number.NaN : Number(digits) * factor
  return Number.isSafeInteger(bytes)
    ? Result.succeed(bytes)
    : Result.fail(
        new UsageError({ problem: `${flag}: "${text}" is not a size`, remedy: `give ${syntax}` })
      )
}

/**
 * Reads a size, if one is given.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parseOption = (
  flag: string,
  text: Option.Option<string>
): Result.Result<Option.Option<number>, UsageError> =>
  Result.transposeMapOption(text, (text) => parse(flag, text))

/**
 * A number of bytes to read: one decimal, powers of 1024.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (bytes: number): string => {
  if (bytes < 1024) return `${Math.floor(bytes)} B`
  const names = ["KiB", "MiB", "GiB", "TiB"]
  let value = bytes / 1024
  let name = 0
  // What would be rounded up to 1024.0 is the next unit's 1.0.
  while (value >= 1023.95 && name < names.length - 1) {
    value /= 1024
    name++
  }
  return `${value.toFixed(1)} ${names[name]}`
}

/**
 * A time to read, of `millis` milliseconds.
 *
 * @category formatting
 * @since 0.1.0
 */
export const formatDuration = (millis: number): string => {
  if (millis < 59_950) return `${(millis / 1_000).toFixed(1)} s`
  const seconds = Math.round(millis / 1_000)
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60
  ]
  if (days > 0) return `${days} d ${hours} h`
  if (hours > 0) return `${hours} h ${minutes} min`
  return `${minutes} min ${seconds % 60} s`
}

/**
 * A time in whole units, rounded up: what is left, or how old something is.
 *
 * @category formatting
 * @since 0.1.0
 */
export const formatWholeDuration = (millis: number): string => {
  const seconds = Math.max(0, Math.ceil(millis / 1_000))
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1_000)
}
