/** Processes of several hosts that share a store's directory: other hosts are other boots of this machine, as the store sees it. */
import { it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { CheckpointStore } from "@effect-oss/core"
import type { Checkpoint } from "@effect-oss/core"
import { Clock, Effect, FileSystem, Option } from "effect"
import type { Scope } from "effect"
import { TestClock } from "effect/testing"
import { keyOf, refusal } from "../../../core/test/support/CheckpointStoreContract.ts"
import {
  diskFull,
  layerHooked,
  only,
  temporaryDirectory,
  type Appearance,
  type Hook
} from "./support.ts"

export const test = <E>(
  title: string,
  body: (directory: string) => Effect.Effect<void, E, FileSystem.FileSystem | Scope.Scope>
) =>
  it.effect(title, () =>
    TestClock.setTime(Date.UTC(2030, 0)).pipe(
      Effect.andThen(temporaryDirectory),
      Effect.flatMap(body),
      Effect.provide(NodeServices.layer)
    )
  )

export const nfs = 0x6969
export const ext4 = 0xef53

/** A process on this host, which shares the directory with others. */
export const here = (
  directory: string,
  hook: Hook = () => Effect.void,
  appearance: Omit<Appearance, "started"> = {}
) => layerHooked(directory, hook, { fileSystem: nfs, ...appearance })

/** A process on another host. */
export const there = (directory: string, hook?: Hook) => here(directory, hook, { boot: "there" })

/** A process that can't reach its lease to renew it. */
export const cutOff: Hook = ({ call, path }) =>
  call === "utimes" && path.endsWith(".lease") ? Effect.fail(diskFull) : Effect.void

/** Opens a checkpoint until the test's scope, or the given one, closes. */
export const open = (layer: ReturnType<typeof here>) =>
  Effect.provide(
    CheckpointStore.CheckpointStore.use((store) => store.open(keyOf("key"))),
    layer
  )

/** Makes a holder look as if it had been silent for that long. */
export const silent = Effect.fnUntraced(function* (directory: string, seconds: number) {
  const fs = yield* FileSystem.FileSystem
  const seen = (yield* Clock.currentTimeMillis) / 1000 - seconds
  yield* fs.utimes(yield* only(directory, ".lease"), seen, seen)
})

export const some = (checkpoint: Checkpoint.Checkpoint) => Option.some(checkpoint)
export const tagOf = <A, E extends CheckpointStore.CheckpointError, R>(
  effect: Effect.Effect<A, E, R>
) => Effect.map(refusal(effect), (error) => error.reason._tag)
