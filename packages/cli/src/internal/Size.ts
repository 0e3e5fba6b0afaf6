/** Reads and writes sizes, rates and times. */
import type * as Option from "effect/Option"
import * as Result from "effect/Result"
import { UsageError } from "./CliFailure.ts"

/** The size of each unit in bytes. A single letter is binary, as in `dd` and `truncate`. */
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

/** The form of a size, in one line. */
export const syntax =
  "bytes, or a number with KiB, MiB, GiB (powers of 1024; K, M, G mean the same) or KB, MB, GB (powers of 1000)"

/** Reads a size, which must be a whole number of bytes in any unit. */
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

/** Reads a size, if one is given. */
export const parseOption = (
  flag: string,
  text: Option.Option<string>
): Result.Result<Option.Option<number>, UsageError> =>
  Result.transposeMapOption(text, (text) => parse(flag, text))
