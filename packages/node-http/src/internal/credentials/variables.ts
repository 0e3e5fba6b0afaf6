/** Variables of the environment. An empty variable counts as not set. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type CredentialsError, invalid } from "./error.ts"

export const variable = (name: string): Effect.Effect<string | undefined, CredentialsError> =>
  Config.option(Config.String(name)).pipe(
    Effect.map((text) => Option.getOrUndefined(Option.filter(text, (text) => text !== ""))),
    Effect.mapError(() => invalid("the environment", "is no text", name))
  )

/** True for `true` and `1`. */
export const flag = (name: string): Effect.Effect<boolean, CredentialsError> =>
  Effect.map(variable(name), (text) => /^(true|1)$/i.test(text ?? ""))
