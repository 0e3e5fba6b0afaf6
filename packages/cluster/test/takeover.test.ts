import { assert, describe, it } from "@effect/vitest"
import { Uploads } from "@effect-oss/cluster"
import { Fault } from "@effect-oss/emulator"
import { Effect, Exit, Fiber, Layer, Scope } from "effect"
import * as Begin from "../src/internal/begin.ts"
import * as Roots from "../src/internal/roots.ts"
import * as Targets from "../src/internal/targets.ts"
import {
  assertWhole,
  assertWholeBesides,
  content,
  ended,
  ground,
  inTime,
  inject,
  large,
  numbers,
  openUploads,
  partsSent,
  pass,
  request,
  requests,
  roots,
  runner,
  slowly,
  sorted,
  until,
  world,
  write
} from "./world.ts"
import * as Submit from "../src/internal/submit.ts"
import { UploadWorkflow } from "../src/internal/uploadWorkflow.ts"

describe("a runner that goes away", () => {
  /** A runner for as long as the effect, which talks to it. */
  const during = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* inTime(Scope.provide(Layer.build(runner()), scope))
      const result = yield* Effect.provideContext(effect, context)
      yield* inTime(Scope.close(scope, Exit.void))
      return result
    })

  it.effect("is followed by one that sends only what isn't durable", () =>
    Effect.gen(function* () {
      yield* write(large)
      yield* inject(slowly)
      const id = yield* during(
        Effect.tap(Uploads.submit(request), () =>
          until(Effect.map(partsSent, (sent) => sent.length > 20))
        )
      )
      const before = yield* partsSent
      assert.isBelow(before.length, 50)
      yield* pass(100)
      assert.deepStrictEqual(yield* partsSent, before)
      const result = yield* during(Effect.andThen(until(ended(id)), Uploads.status(id)))
      assert.strictEqual(result._tag, "Completed")
      yield* assertWhole(large)
      const sent = sorted(yield* partsSent)
      assert.deepStrictEqual([...new Set(sent)], numbers(80))
      // Those that were on their way, at most: four ranges of two parts.
      assert.isAtMost(sent.length, 88)
    }).pipe(Effect.provide(ground))
  )

  it.effect("while it asks for an upload id, leaves one without parts at most", () =>
    Effect.gen(function* () {
      yield* write(content)
      yield* inject(Fault.delay({ operation: "initiate", millis: 60_000, at: "after" }))
      const id = yield* during(
        Effect.tap(Uploads.submit(request), () =>
          until(Effect.map(openUploads, (uploads) => uploads.length === 1))
        )
      )
      assert.lengthOf(yield* openUploads, 1)
      yield* during(until(ended(id)))
      yield* assertWholeBesides(1, content)
      assert.strictEqual((yield* requests).initiate, 2)
    }).pipe(Effect.provide(ground))
  )

  it.effect("and wakes after another has taken over, doesn't keep an upload id of its own", () =>
    Effect.gen(function* () {
      yield* write(content)
      const job = yield* Submit.prepare(request)
      const id = yield* UploadWorkflow.executionId(job)
      const begin = Effect.provide(Begin.begin(job, id), [
        Roots.layer(roots),
        Targets.layer(undefined)
      ])
      // Both have found that there is no upload id; the first one's answer is late.
      yield* inject(Fault.delay({ operation: "initiate", millis: 60_000, at: "after" }))
      const suspended = yield* Effect.forkChild(begin)
      yield* until(Effect.map(openUploads, (uploads) => uploads.length === 1))
      const other = yield* inTime(begin)
      const woken = yield* inTime(Fiber.join(suspended))
      assert.deepStrictEqual(woken, other)
      assert.deepStrictEqual(
        (yield* openUploads).map(({ uploadId, parts }) => [uploadId === other.uploadId, parts]),
        [
          // Of the request that was late there is no answer.
          [false, []],
          [true, []]
        ]
      )
    }).pipe(Effect.provide(world))
  )
})
