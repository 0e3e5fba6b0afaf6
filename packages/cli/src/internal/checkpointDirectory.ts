/**
 * Where the command keeps checkpoints and other state: a directory that doesn't
 * depend on the working directory, so that an upload resumes from anywhere.
 */
import * as FsCheckpointStore from "@effect-oss/node-fs-store/FsCheckpointStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as UserDirectories from "effect/persistence/UserDirectories"
import { UsageError } from "./CliFailure.ts"

/** The state directory of this user. */
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

/** The flags of the store. */
export interface StoreInput {
  readonly checkpointDir: Option.Option<string>
  readonly allowSharedCheckpoints: boolean
}

/** The directory of checkpoints. */
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
