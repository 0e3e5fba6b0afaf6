/** Where checkpoints are: the same place whatever the working directory, so that an upload resumes from anywhere. */
import * as FsCheckpointStore from "@effect-oss/node-fs-store/FsCheckpointStore"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { UsageError } from "../CliFailure.ts"

/** As the XDG base directory specification has it: a relative path counts as not set. */
const absolute = (name: string) =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const value = yield* Config.option(Config.String(name))
    return Option.filter(value, path.isAbsolute)
  })

const fallback = Effect.gen(function* () {
  const path = yield* Path.Path
  const state = yield* absolute("XDG_STATE_HOME")
  const home = yield* absolute("HOME")
  const base = Option.orElse(state, () =>
    Option.map(home, (home) => path.join(home, ".local/state"))
  )
  if (Option.isNone(base)) {
    return yield* new UsageError({
      problem: "neither XDG_STATE_HOME nor HOME says where checkpoints can be kept",
      remedy: "give --checkpoint-dir a directory that this user can write to"
    })
  }
  return path.join(base.value, "effect-oss")
})

export const layerStore = (directory: Option.Option<string>) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const given = Option.filter(directory, (text) => text !== "")
      return FsCheckpointStore.layer({
        directory: Option.isSome(given) ? given.value : yield* fallback
      })
    })
  )
