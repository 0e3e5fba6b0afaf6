/** Where checkpoints are kept, and what else is remembered: the same place whatever the working directory, so that an upload resumes from anywhere. */
import * as FsCheckpointStore from "@effect-oss/node-fs-store/FsCheckpointStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as UserDirectories from "effect/persistence/UserDirectories"
import { UsageError } from "./CliFailure.ts"

/** Where this user's commands keep what they know, as the system has it. */
export const stateDirectory = (remedy: string) =>
  UserDirectories.make()
    .state("effect-oss")
    .pipe(
      Effect.mapError(
        () =>
          new UsageError({
            problem: "neither XDG_STATE_HOME nor HOME says where to keep what is remembered",
            remedy
          })
      )
    )

const fallback = stateDirectory("give --checkpoint-dir a directory that this user can write to")

/** What the command line says of the store. */
export interface StoreInput {
  readonly checkpointDir: Option.Option<string>
  readonly allowSharedCheckpoints: boolean
}

/** Where checkpoints are kept. */
export const directoryOf = (given: Option.Option<string>) => {
  const directory = Option.filter(given, (text) => text !== "")
  return Option.isSome(directory) ? Effect.succeed(directory.value) : fallback
}

export const layerStore = ({ checkpointDir, allowSharedCheckpoints }: StoreInput) =>
  Layer.unwrap(
    Effect.map(directoryOf(checkpointDir), (directory) =>
      FsCheckpointStore.layer({ directory, allowShared: allowSharedCheckpoints })
    )
  )
