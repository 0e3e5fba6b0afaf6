import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { ClusterWorkflowEngine, TestRunner } from "effect/cluster"
import { DurableDeferred, Workflow, WorkflowEngine } from "effect/workflow"
import * as Look from "../src/internal/look.ts"
import { pass } from "./world.ts"

const Waiting = Workflow.make("Waiting", {
  payload: { id: Schema.String },
  idempotencyKey: ({ id }) => id
})

const engine = ClusterWorkflowEngine.layer.pipe(Layer.provideMerge(TestRunner.layer))

describe("an execution that is suspended, and that nothing wakes", () => {
  it.effect("is run again after 20 to 40 seconds, and so on", () => {
    let runs = 0
    const waits = Waiting.toLayer((_, executionId) =>
      Effect.gen(function* () {
        runs++
        yield* Look.later(Waiting, executionId)
        yield* DurableDeferred.await(DurableDeferred.make("never"))
      })
    )
    return Effect.gen(function* () {
      yield* pass(2)
      yield* Waiting.execute({ id: "1" }, { discard: true })
      yield* pass(15)
      assert.strictEqual(runs, 1)
      yield* pass(30)
      assert.strictEqual(runs, 2)
      yield* pass(200)
      assert.isAtLeast(runs, 6)
      assert.isAtMost(runs, 12)
    }).pipe(Effect.provide(Layer.provideMerge(waits, engine)))
  })

  it.effect("goes on if it can't be had looked at", () =>
    Effect.gen(function* () {
      const engine = yield* WorkflowEngine.WorkflowEngine
      const away = Effect.die(new Error("the database is away"))
      yield* Look.later(Waiting, "1").pipe(
        Effect.provideService(WorkflowEngine.WorkflowEngine, {
          ...engine,
          scheduleClock: () => away
        })
      )
    }).pipe(Effect.provide(WorkflowEngine.layerMemory))
  )
})
