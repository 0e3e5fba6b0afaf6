/** Checks the ranges of numbers on the command line. */
import * as Effect from "effect/Effect"
import { UsageError } from "./CliFailure.ts"

export const port = (flag: string, value: number): Effect.Effect<number, UsageError> =>
  value >= 0 && value <= 65_535
    ? Effect.succeed(value)
    : Effect.fail(
        new UsageError({
          problem: `${flag}: ${value} is not a port`,
          remedy: "give 0 for any free one, or a number up to 65535"
        })
      )

export const atLeastOne = (flag: string, value: number): Effect.Effect<number, UsageError> =>
  value >= 1
    ? Effect.succeed(value)
    : Effect.fail(
        new UsageError({
          problem: `${flag}: ${value} is not possible`,
          remedy: "give a whole number from 1"
        })
      )
