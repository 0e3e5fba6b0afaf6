/** The contract of checkpoint stores as tests of this workspace's runner, each on a new store. */
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Layer } from "effect"
import type { CheckpointStore } from "@effect-oss/core"
import * as CheckpointStoreContract from "@effect-oss/core/testing/CheckpointStoreContract"

export {
  keyOf,
  header,
  part,
  parts,
  receipt,
  recover,
  withLog
} from "../../src/testing/fixtures.ts"

/** The error of what must fail. */
export const refusal = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<E, never, R> =>
  Effect.orDie(Effect.flip(effect))

/** The tests of the contract, for one store, whose layer is built anew for each. */
export const checkpointStoreContract = <E>(
  name: string,
  layer: Layer.Layer<CheckpointStore.CheckpointStore, E>
) =>
  describe(`${name} keeps the contract of CheckpointStore`, () => {
    it.effect.each(CheckpointStoreContract.laws)("$name", ({ check }) =>
      Effect.provide(check, layer)
    )
  })
