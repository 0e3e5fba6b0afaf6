/** Variables of the environment; what is set to nothing is not set. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

export const variable = (name: string) =>
  Effect.map(
    Config.option(Config.String(name)),
    Option.filter((text) => text !== "")
  )
