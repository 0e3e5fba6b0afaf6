/** Finds the database: from the flag, the environment, or a file of this user. */
import * as Database from "@effect-oss/cluster/Database"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import { stateDirectory } from "./checkpointDirectory.ts"
import { variable } from "./environment.ts"

const ownFile = Effect.gen(function* () {
  const path = yield* Path.Path
  return path.join(
    yield* stateDirectory("give --database-url a file that this user can write to"),
    "cluster.sqlite"
  )
})

/** Returns the database. Its URL may have a password, so it is redacted. */
export const databaseOf = Effect.fnUntraced(function* (flag: Option.Option<string>) {
  const given = Option.firstSomeOf([
    Option.filter(flag, (text) => text !== ""),
    yield* variable("EFFECT_OSS_DATABASE_URL")
  ])
  return Database.of(Redacted.make(Option.isSome(given) ? given.value : yield* ownFile))
})
