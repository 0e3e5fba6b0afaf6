import * as CheckpointStoreContract from "@effect-oss/core/testing/CheckpointStoreContract"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as OwnStore from "../examples/ownStore.ts"

describe("the example of a store of one's own keeps the contract", () => {
  it.effect.each(CheckpointStoreContract.laws)("$name", ({ check }) =>
    Effect.provide(check, OwnStore.layer)
  )
})
