/** Reads variables of the environment. An empty variable counts as not set. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

export const variable = (name: string) =>
  Effect.map(
    Config.option(Config.String(name)),
    Option.filter((text) => text !== "")
  )
