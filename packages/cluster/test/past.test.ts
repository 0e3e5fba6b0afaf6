import { assert, describe, it } from "@effect/vitest"
import { Executions, Uploads } from "@effect-oss/cluster"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Option } from "effect"
import * as Attempts from "../src/internal/attempts.ts"
import {
  assertWhole,
  bucket,
  content,
  contentOf,
  inject,
  inTime,
  key,
  request,
  requests,
  world,
  write
} from "./world.ts"

/** Uploads once, lets something happen, and uploads once more: the second result, and the requests of it. */
const twice = Effect.fnUntraced(function* <E, R>(
  meanwhile: Effect.Effect<unknown, E, R>,
  again?: boolean
) {
  yield* write(content)
  yield* inTime(Uploads.upload(request))
  yield* meanwhile
  const before = yield* requests
  const result = yield* inTime(Uploads.upload({ ...request, again }))
  const after = yield* requests
  const made = (operation: Fault.Operation) => (after[operation] ?? 0) - (before[operation] ?? 0)
  yield* assertWhole(content)
  return { result, heads: made("head"), parts: made("uploadPart") }
})

const emulator = OssEmulator.OssEmulator

describe("an upload that was done before, submitted again", () => {
  it.effect("looks at the object and leaves it alone", () =>
    Effect.gen(function* () {
      const { result, heads, parts } = yield* twice(Effect.void)
      assert.deepStrictEqual([heads, parts], [1, 0])
      assert.deepInclude(result, { skipped: true, sent: 0, resumed: content.length })
    }).pipe(Effect.provide(world))
  )

  it.effect("is uploaded again if the object is gone", () =>
    Effect.gen(function* () {
      const { result, parts } = yield* twice(emulator.use((it) => it.deleteObject(bucket, key)))
      assert.strictEqual(parts, 9)
      assert.strictEqual(result.sent, content.length)
    }).pipe(Effect.provide(world))
  )

  it.effect("is uploaded again if something else of the same size is in its place", () =>
    Effect.gen(function* () {
      const other = Effect.gen(function* () {
        yield* write(contentOf(content.length, 2), "/shared/other")
        yield* inTime(
          Uploads.upload({ ...request, source: { _tag: "File", path: "/shared/other" } })
        )
      })
      const { parts } = yield* twice(other)
      assert.strictEqual(parts, 9)
    }).pipe(Effect.provide(world))
  )

  it.effect("is uploaded again if the object may not be looked at", () =>
    Effect.gen(function* () {
      const denied = Fault.answer({ operation: "head", status: 403, code: "AccessDenied" })
      const { heads, parts } = yield* twice(inject(denied))
      assert.deepStrictEqual([heads, parts], [1, 9])
    }).pipe(Effect.provide(world))
  )

  it.effect("is uploaded again if that is asked for, without a look", () =>
    Effect.gen(function* () {
      const { heads, parts } = yield* twice(Effect.void, true)
      assert.deepStrictEqual([heads, parts], [0, 9])
    }).pipe(Effect.provide(world))
  )

  it.effect("finds the last of its executions without asking for each", () =>
    Effect.gen(function* () {
      let questions = 0
      const none: Executions.Executions["Service"] = {
        find: () => Effect.succeedNone,
        list: () => Effect.succeed([]),
        remove: () => Effect.succeed(0),
        runners: Effect.succeed(0)
      }
      const execution = { id: "", bucket, key, size: 0, submitted: 0, ended: Option.none() }
      const lastOf = (count: number) =>
        Attempts.last((attempt) => Effect.succeed(String(attempt))).pipe(
          Effect.map(Option.getOrElse(() => -1)),
          Effect.provideService(Executions.Executions, {
            ...none,
            find: (id) =>
              Effect.sync(() => {
                questions++
                return Number(id) < count ? Option.some(execution) : Option.none()
              })
          })
        )
      for (const count of [0, 1, 2, 3, 4, 5, 17, 1_000]) {
        assert.strictEqual(yield* lastOf(count), count - 1)
      }
      questions = 0
      yield* lastOf(1_000)
      assert.isBelow(questions, 25)
    })
  )
})
