/** Leases whose clocks are set, on either side, and threads that die alone. */
import { assert, describe, it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { Clock, Effect, Fiber, Option, Schedule } from "effect"
import { TestClock } from "effect/testing"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import {
  header,
  recover,
  refusal,
  withLog
} from "../../../core/test/support/CheckpointStoreContract.ts"
import { cutOff, here, open, silent, some, tagOf, test } from "../support/hosts.ts"
import { files, layerIn, only, temporaryDirectory } from "../support/support.ts"

/** A process on another host, with a watch as long as in life. */
const watching = { watch: "40 seconds" } as const
const onAnotherHost = { boot: "there" }

/** Lets time pass, second by second, until an effect is done. */
const passing = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(Effect.exit(effect))
  const before = yield* Clock.currentTimeMillis
  while (fiber.pollUnsafe() === undefined) {
    yield* TestClock.adjust("1 second")
    // The files of a step are read in turns of the event loop.
    yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
  }
  const exit = yield* Fiber.join(fiber)
  return { exit, seconds: ((yield* Clock.currentTimeMillis) - before) / 1_000 }
})

describe("a lease of another host", () => {
  test("stays its holder's though this clock runs an hour ahead, or behind", (directory) =>
    Effect.gen(function* () {
      const log = yield* open(here(directory, undefined, onAnotherHost))
      yield* log.begin(header())
      for (const seconds of [3_600, -3_600]) {
        yield* silent(directory, seconds)
        const { exit } = yield* passing(tagOf(open(here(directory, undefined, watching))))
        assert.strictEqual(exit._tag === "Success" ? exit.value : exit._tag, "Busy")
      }
    }))

  test("stays its holder's though that one's signs of life are an hour old by this clock", (directory) =>
    Effect.gen(function* () {
      yield* open(here(directory, cutOff, onAnotherHost))
      const sign = silent(directory, 3_600)
      yield* sign
      yield* Effect.forkScoped(Effect.repeat(sign, Schedule.spaced("10 seconds")))
      const { exit } = yield* passing(tagOf(open(here(directory, undefined, watching))))
      assert.strictEqual(exit._tag === "Success" ? exit.value : exit._tag, "Busy")
    }))

  test("is free once its holder was watched and gave no sign of life", (directory) =>
    Effect.gen(function* () {
      const log = yield* open(here(directory, cutOff, onAnotherHost))
      yield* log.begin(header())
      yield* silent(directory, 3_600)
      const { exit, seconds } = yield* passing(
        Effect.scoped(
          Effect.map(open(here(directory, undefined, watching)), (log) => log.recovered)
        )
      )
      assert.isAtLeast(seconds, 40)
      assert.deepStrictEqual(
        exit._tag === "Success" ? exit.value : exit._tag,
        some({ header: header(), parts: [] })
      )
    }))

  test("can be waited for no longer than one likes", (directory) =>
    Effect.gen(function* () {
      yield* open(here(directory, cutOff, onAnotherHost))
      yield* silent(directory, 3_600)
      const waiting = open(here(directory, undefined, watching))
      const { exit, seconds } = yield* passing(
        Effect.timeoutOption(Effect.scoped(waiting), "10 seconds")
      )
      assert.deepStrictEqual(exit._tag === "Success" ? exit.value : exit._tag, Option.none())
      assert.isBelow(seconds, 40)
    }))
})

describe("a lease of this process", () => {
  test("that nobody renews is free once it was watched", (directory) =>
    Effect.gen(function* () {
      yield* open(here(directory, cutOff))
      yield* silent(directory, 61)
      yield* Effect.scoped(open(here(directory)))
    }))
})

const script = fileURLToPath(new URL("../support/child.ts", import.meta.url))

/** Holds a checkpoint in a thread of this process until it is terminated. */
const holdInThread = (directory: string) =>
  Effect.callback<Worker>((resume) => {
    const worker = new Worker(script, { argv: ["hold", directory, "key"], stdout: true })
    worker.stdout.once("data", () => resume(Effect.succeed(worker)))
  })

describe("a worker thread", () => {
  it.live.runIf(process.platform === "linux")(
    "holds its checkpoint while it lives, and no longer, though its process does",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const store = layerIn(directory)
        const worker = yield* holdInThread(directory)
        const { reason } = yield* refusal(Effect.provide(recover("key"), store))
        assert.strictEqual(reason._tag, "Busy")
        yield* Effect.promise(() => worker.terminate())
        assert.match(yield* only(directory, ".lease"), /lease$/)
        assert.isTrue(Option.isSome(yield* Effect.provide(recover("key"), store)))
        yield* Effect.provide(
          withLog("key", (log) => log.remove),
          store
        )
        assert.deepStrictEqual(yield* files(directory), [])
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
