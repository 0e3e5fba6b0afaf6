/** The error and the assertions that both contracts use. */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as Schema from "effect/Schema"

/**
 * A store or a client broke its contract.
 *
 * @category errors
 * @since 0.1.0
 */
export class ContractBroken extends Schema.TaggedError<ContractBroken>(
  "@effect-oss/core/ContractBroken"
)("ContractBroken", { expected: Schema.String, actual: Schema.String }) {
  override get message(): string {
    return `expected ${this.expected}, but it was ${this.actual}`
  }
}

export const expectEqual = <A>(actual: A, expected: A): Effect.Effect<void, ContractBroken> =>
  Equal.equals(actual, expected)
    ? Effect.void
    : Effect.fail(new ContractBroken({ expected: brief(expected), actual: brief(actual) }))

/** Formats a value, cut to 600 characters: a list of 10,000 parts would be unreadable. */
export const brief = (value: unknown): string => {
  const text = Formatter.format(value)
  return text.length > 600 ? `${text.slice(0, 600)}…` : text
}

export const expectDefect = <E>(effect: Effect.Effect<void, E>) =>
  Effect.flatMap(Effect.exit(effect), (exit) =>
    Exit.hasDies(exit)
      ? Effect.void
      : Effect.fail(new ContractBroken({ expected: "a defect", actual: brief(exit) }))
  )
