/** What a holder can still do that was taken for dead. */
import { assert, describe } from "@effect/vitest"
import { Effect, Exit, Fiber, Result, Scope } from "effect"
import { header, part, parts, recover } from "../../../core/test/support/CheckpointStoreContract.ts"
import { here, open, silent, some, tagOf, test, there } from "../support/hosts.ts"
import { files, gate, only, type Hook } from "../support/support.ts"

describe("a holder that was taken for dead and wakes up", () => {
  /** Two parts recorded by the old holder, a third by the new one. */
  const takeOver = Effect.fnUntraced(function* (directory: string, hook?: Hook) {
    const scope = yield* Scope.make()
    const old = yield* Scope.provide(open(there(directory, hook)), scope)
    yield* old.begin(header())
    yield* Effect.forEach(parts(2), old.append)
    return { old, close: Scope.close(scope, Exit.void) }
  })

  test("changes nothing, and learns that it lost the lease", (directory) =>
    Effect.gen(function* () {
      const { old, close } = yield* takeOver(directory)
      yield* silent(directory, 61)
      yield* Effect.gen(function* () {
        const log = yield* open(here(directory))
        assert.deepStrictEqual(log.recovered, some({ header: header(), parts: parts(2) }))
        yield* log.append(part(3))
        const before = yield* files(directory)
        for (const attempt of [
          old.append(part(9)),
          old.begin(header(9)),
          old.remove,
          old.append(part(8))
        ]) {
          assert.strictEqual(yield* tagOf(attempt), "LeaseLost")
          assert.sameMembers(yield* files(directory), before)
        }
        yield* close
        assert.strictEqual(yield* tagOf(old.append(part(7))), "LeaseLost")
        assert.sameMembers(yield* files(directory), before)
        yield* log.append(part(4))
      }).pipe(Effect.scoped)
      assert.deepStrictEqual(
        yield* Effect.provide(recover("key"), here(directory)),
        some({ header: header(), parts: parts(4) })
      )
    }))

  test("writes into a file that nobody reads any more, from the moment it is taken over", (directory) =>
    Effect.gen(function* () {
      const { close } = yield* takeOver(directory)
      const first = yield* only(directory, ".journal")
      yield* silent(directory, 61)
      yield* open(here(directory))
      assert.notStrictEqual(yield* only(directory, ".journal"), first)
      yield* close
    }))

  test("can't report a part that the new holder has not seen", (directory) =>
    Effect.gen(function* () {
      let armed = false
      const slow = gate(({ call }) => armed && call === "sync")
      const { old, close } = yield* takeOver(directory, slow.hook)
      armed = true
      const appending = yield* Effect.forkScoped(Effect.result(old.append(part(3))))
      yield* slow.reached
      yield* silent(directory, 61)
      yield* open(here(directory))
      yield* slow.open
      const appended = yield* Fiber.join(appending)
      assert.isTrue(Result.isFailure(appended) && appended.failure.reason._tag === "LeaseLost")
      yield* close
    }))

  test("can't put its journal in place of the new holder's", (directory) =>
    Effect.gen(function* () {
      let begins = 0
      const slow = gate(
        ({ call, path }) => call === "rename" && path.endsWith(".journal.tmp") && ++begins === 2
      )
      const { old, close } = yield* takeOver(directory, slow.hook)
      const beginning = yield* Effect.forkScoped(Effect.result(old.begin(header(9))))
      yield* slow.reached
      yield* silent(directory, 61)
      const log = yield* open(here(directory))
      assert.deepStrictEqual(log.recovered, some({ header: header(), parts: parts(2) }))
      yield* slow.open
      const begun = yield* Fiber.join(beginning)
      assert.isTrue(Result.isFailure(begun) && begun.failure.reason._tag === "LeaseLost")
      yield* close
      assert.strictEqual((yield* files(directory)).length, 2)
      assert.include(yield* only(directory, ".journal"), ".2.")
    }))

  test("can't remove the new holder's journal", (directory) =>
    Effect.gen(function* () {
      const slow = gate(({ call, path }) => call === "remove" && path.endsWith(".journal"))
      const { old, close } = yield* takeOver(directory, slow.hook)
      const removing = yield* Effect.forkScoped(Effect.result(old.remove))
      yield* slow.reached
      yield* silent(directory, 61)
      yield* Effect.scoped(Effect.andThen(open(here(directory)), slow.open))
      yield* Fiber.join(removing)
      yield* close
      assert.deepStrictEqual(
        yield* Effect.provide(recover("key"), here(directory)),
        some({ header: header(), parts: parts(2) })
      )
    }))
})
