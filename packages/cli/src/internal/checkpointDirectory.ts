/** Where checkpoints are kept, and what else is remembered: the same place whatever the working directory, so that an upload resumes from anywhere. */
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

/** Where this user's commands keep what they know. */
export const stateDirectory = Effect.fnUntraced(function* (remedy: string) {
  const path = yield* Path.Path
  const state = yield* absolute("XDG_STATE_HOME")
  const home = yield* absolute("HOME")
  const base = Option.orElse(state, () =>
    Option.map(home, (home) => path.join(home, ".local/state"))
  )
  if (Option.isNone(base)) {
    return yield* new UsageError({
      problem: "neither XDG_STATE_HOME nor HOME says where to keep what is remembered",
      remedy
    })
  }
  return path.join(base.value, "effect-oss")
})

const fallback = stateDirectory("give --checkpoint-dir a directory that this user can write to")

/** What the command line says of the store. */
export interface StoreInput {
  readonly checkpointDir: Option.Option<string>
  readonly allowSharedCheckpoints: boolean
}

export const layerStore = ({ checkpointDir, allowSharedCheckpoints }: StoreInput) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const given = Option.filter(checkpointDir, (text) => text !== "")
      return FsCheckpointStore.layer({
        directory: Option.isSome(given) ? given.value : yield* fallback,
        allowShared: allowSharedCheckpoints
      })
    })
  )
