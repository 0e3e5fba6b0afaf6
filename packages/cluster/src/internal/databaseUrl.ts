/** Which database is meant: the flag's, the environment's, or a file of this user's. */
import { homedir } from "node:os"
import { join } from "node:path"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

const variable = (name: string) =>
  Effect.map(
    Config.option(Config.String(name)),
    Option.filter((text) => text !== "")
  )

const ownFile = Effect.map(variable("XDG_STATE_HOME"), (state) =>
  join(
    Option.getOrElse(state, () => join(homedir(), ".local/state")),
    "effect-oss",
    "cluster.sqlite"
  )
)

/** Redacted, since it has a password. */
export const urlOf = Effect.fnUntraced(function* (flag: Option.Option<string>) {
  const given = Option.firstSomeOf([flag, yield* variable("EFFECT_OSS_DATABASE_URL")])
  return Redacted.make(Option.isSome(given) ? given.value : yield* ownFile)
})
