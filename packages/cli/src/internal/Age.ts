/** Reads ages and times as users write them: `7d`. */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import { UsageError } from "./CliFailure.ts"

/** The length of each unit in milliseconds. */
const units: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000
}

/** The form of an age, in one line. */
export const syntax = "a whole number with s, m, h, d or w, such as 7d"

/** Reads an age. */
export const parse = (flag: string, text: string): Result.Result<Duration.Duration, UsageError> => {
  const [, digits = "", unit = ""] = /^(\d{1,6}) ?([smhdw])$/i.exec(text.trim()) ?? []
  const millis = units[unit.toLowerCase()]
  return millis === undefined
    ? Result.fail(
        new UsageError({ problem: `${flag}: "${text}" is not a time`, remedy: `give ${syntax}` })
      )
    : Result.succeed(Duration.millis(Number(digits) * millis))
}
