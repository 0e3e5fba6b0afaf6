import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Option } from "effect"
import { TestClock } from "effect/testing"
import { Workflow, WorkflowEngine } from "effect/workflow"
import * as Watch from "../src/internal/watch.ts"

const suspended = new Workflow.Suspended({})
const complete = new Workflow.Complete({ exit: Exit.void })

/** Executions that are in these states when they are looked at, one after the other. */
const sleeper = (
  states: Readonly<Record<string, ReadonlyArray<Workflow.Result<unknown, unknown>>>>
) => {
  const looks: Array<string> = []
  const wakes: Array<string> = []
  return {
    looks,
    wakes,
    poll: (id: string) =>
      Effect.sync(() => {
        looks.push(id)
        return Option.fromUndefinedOr(states[id]?.[looks.filter((look) => look === id).length - 1])
      }),
    resume: (id: string) => Effect.sync(() => void wakes.push(id))
  }
}

describe("whoever watches over executions", () => {
  it.effect("wakes those that are suspended, until they have ended", () =>
    Effect.gen(function* () {
      const workflow = sleeper({ a: [suspended, suspended, complete], b: [complete] })
      const watch = Watch.make()
      watch.over(workflow, "a")
      watch.over(workflow, "b")
      yield* Effect.forkScoped(watch.run)
      yield* TestClock.adjust("29 seconds")
      assert.deepStrictEqual(workflow.looks, [])
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(workflow.wakes, ["a", "a"])
      assert.deepStrictEqual(workflow.looks, ["a", "b", "a", "a"])
    }).pipe(Effect.scoped, Effect.provide(WorkflowEngine.layerMemory))
  )

  it.effect("leaves alone what runs", () =>
    Effect.gen(function* () {
      const workflow = sleeper({})
      const watch = Watch.make()
      watch.over(workflow, "a")
      yield* Effect.forkScoped(watch.run)
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual([workflow.looks.length, workflow.wakes], [4, []])
    }).pipe(Effect.scoped, Effect.provide(WorkflowEngine.layerMemory))
  )

  it.effect("goes on when the database fails, or hangs", () =>
    Effect.gen(function* () {
      const workflow = sleeper({ a: [suspended, suspended, suspended] })
      const watch = Watch.make()
      let troubles = 0
      const trouble = Effect.suspend(() => {
        troubles++
        return troubles === 1 ? Effect.die(new Error("away")) : Effect.void
      })
      watch.over({ ...workflow, poll: (id) => Effect.andThen(trouble, workflow.poll(id)) }, "a")
      watch.over({ ...workflow, poll: () => Effect.never }, "b")
      yield* Effect.forkScoped(watch.run)
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual([troubles, workflow.wakes], [3, ["a", "a"]])
    }).pipe(Effect.scoped, Effect.provide(WorkflowEngine.layerMemory))
  )
})
