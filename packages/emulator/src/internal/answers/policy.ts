/** The policy of a form: its expiry, and the allowed values of the form's fields. */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "../wire/errors.ts"

const Condition = Schema.Union([
  Schema.Record(Schema.String, Schema.String),
  Schema.Tuple([Schema.Literal("content-length-range"), Schema.Finite, Schema.Finite]),
  Schema.Tuple([Schema.Literals(["eq", "starts-with"]), Schema.String, Schema.String]),
  Schema.Tuple([Schema.Literals(["in", "not-in"]), Schema.String, Schema.Array(Schema.String)])
])

const Policy = Schema.fromJsonString(
  Schema.Struct({ expiration: Schema.String, conditions: Schema.Array(Condition) })
)

const decode = Schema.decodeUnknownOption(Policy)

interface Posted {
  /** Names in lower case. */
  readonly fields: Readonly<Record<string, string>>
  /** The size of the file, in bytes. */
  readonly size: number
  readonly now: number
}

/** `policy` is base64 of JSON. */
export const checkPolicy = (policy: string, posted: Posted): Result.Result<void, Refusal> =>
  Result.gen(function* () {
    const document = decode(Buffer.from(policy, "base64").toString())
    if (Option.isNone(document)) return yield* Result.fail(refuse("InvalidPolicyDocument"))
    const { expiration, conditions } = document.value
    const end = Date.parse(expiration)
    if (Number.isNaN(end)) return yield* Result.fail(refuse("InvalidPolicyDocument"))
    if (posted.now > end) {
      return yield* Result.fail(
        refuse("AccessDenied", "Invalid according to Policy: Policy expired.")
      )
    }
    for (const condition of conditions) yield* check(condition, posted)
  })

const check = (condition: typeof Condition.Type, posted: Posted): Result.Result<void, Refusal> => {
  if (!isList(condition)) {
    const broken = Object.entries(condition).find(
      ([name, value]) => fieldOf(posted, name) !== value
    )
    return broken === undefined ? done : failed(["eq", `$${broken[0]}`, broken[1]])
  }
  if (condition[0] === "content-length-range") {
    const [, min, max] = condition
    if (posted.size < min) return Result.fail(refuse("EntityTooSmall"))
    return posted.size <= max ? done : Result.fail(refuse("EntityTooLarge"))
  }
  const [, field] = condition
  const value = fieldOf(posted, field.replace(/^\$/, ""))
  return holds(condition, value) ? done : failed(condition)
}

const isList = (
  condition: typeof Condition.Type
): condition is Extract<typeof Condition.Type, ReadonlyArray<unknown>> => Array.isArray(condition)

const holds = (
  condition:
    | readonly ["eq" | "starts-with", string, string]
    | readonly ["in" | "not-in", string, ReadonlyArray<string>],
  value: string
): boolean => {
  switch (condition[0]) {
    case "eq":
      return value === condition[2]
    case "starts-with":
      return value.startsWith(condition[2])
    case "in":
      return condition[2].includes(value)
    case "not-in":
      return !condition[2].includes(value)
  }
}

const fieldOf = ({ fields }: Posted, name: string) => fields[name.toLowerCase()] ?? ""

const done = Result.succeed(undefined)

const failed = (condition: ReadonlyArray<unknown>) =>
  Result.fail(
    refuse(
      "AccessDenied",
      `Invalid according to Policy: Policy Condition failed: ${JSON.stringify(condition)}`
    )
  )
