/** Who holds a checkpoint, and for how long. */
import { assert, describe } from "@effect/vitest"
import { Effect, Exit, Fiber, FileSystem, Option, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import { spawnSync } from "node:child_process"
import {
  header,
  keyOf,
  part,
  recover,
  refusal
} from "../../../core/test/support/CheckpointStoreContract.ts"
import { hashOf } from "../../src/internal/place.ts"
import {
  cutOff,
  ext4,
  here,
  nfs,
  open,
  silent,
  some,
  tagOf,
  test,
  there
} from "../support/hosts.ts"
import { files, gate, only, plant, type Hook } from "../support/support.ts"

const holder = {
  token: "00000000-0000-4000-8000-000000000000",
  pid: 4711,
  host: "web-1",
  boot: "",
  machine: "",
  container: "",
  started: "1",
  thread: "",
  alone: false,
  at: 0
}

/** Puts a file in the lease's place that has shown a sign of life that many seconds ago. */
const leave = Effect.fnUntraced(function* (directory: string, text: string, seconds = 0) {
  yield* plant(directory, `${hashOf(keyOf("key"))}.lease`, text)
  yield* silent(directory, seconds)
})

/** A process that is killed while it listens on a socket, which stays. */
const dieListening = (path: string) =>
  Effect.sync(() => {
    const script = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, 9))`
    spawnSync(process.execPath, ["-e", script, path])
  })

describe("a lease", () => {
  test("is another host's for a minute after its last sign of life", (directory) =>
    Effect.gen(function* () {
      for (const seconds of [0, 60, -60]) {
        yield* leave(directory, JSON.stringify(holder), seconds)
        const error = yield* refusal(Effect.provide(recover("key"), here(directory)))
        assert.include(error.message, "in use by process 4711 on host web-1")
      }
      for (const seconds of [61, -61]) {
        yield* leave(directory, JSON.stringify(holder), seconds)
        yield* Effect.provide(recover("key"), here(directory))
        assert.deepStrictEqual(yield* files(directory), [])
      }
    }))

  test("is nobody's once another process has its holder's id", (directory) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.provide(open(here(directory)), scope)
      const fs = yield* FileSystem.FileSystem
      const lease = yield* only(directory, ".lease")
      const text = yield* fs.readFileString(lease)
      yield* Scope.close(scope, Exit.void)
      assert.include(text, `"pid":${process.pid}`)

      yield* leave(directory, text)
      assert.strictEqual(yield* tagOf(Effect.provide(recover("key"), here(directory))), "Busy")
      yield* leave(directory, text.replace(/"started":"\d+"/, '"started":"1"'))
      yield* Effect.provide(recover("key"), here(directory))
      assert.deepStrictEqual(yield* files(directory), [])
    }))

  const shared: ReadonlyArray<readonly [string, number, number]> = [
    ["both are on a shared disk", nfs, nfs],
    ["the holder was on a shared disk", nfs, ext4],
    ["whoever asks is on a shared disk", ext4, nfs]
  ]
  for (const [where, before, now] of shared) {
    test(`is another host's, or this one's before it was booted, for a minute where ${where}`, (directory) =>
      Effect.gen(function* () {
        yield* open(here(directory, undefined, { boot: "before", fileSystem: before }))
        const next = here(directory, undefined, { fileSystem: now })
        assert.strictEqual(yield* tagOf(Effect.provide(recover("key"), next)), "Busy")
        yield* silent(directory, 61)
        yield* Effect.provide(recover("key"), next)
      }))
  }

  test("is nobody's once the machine was booted again, on a disk of its own", (directory) =>
    Effect.gen(function* () {
      const old = yield* open(here(directory, undefined, { boot: "before", fileSystem: ext4 }))
      yield* old.begin(header())
      const log = yield* open(here(directory, undefined, { fileSystem: ext4 }))
      assert.deepStrictEqual(log.recovered, some({ header: header(), parts: [] }))
    }))

  /** A process in a container, whose ids others can't see. */
  const contained = (directory: string, container: string) =>
    here(directory, undefined, { container: `pid:[${container}]` })

  test("is another container's as long as its holder lives, though it is silent", (directory) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.provide(open(contained(directory, "1")), scope)
      yield* silent(directory, 3_600)
      for (const other of [contained(directory, "2"), here(directory)]) {
        assert.strictEqual(yield* tagOf(Effect.provide(recover("key"), other)), "Busy")
      }
      yield* Scope.close(scope, Exit.void)
      yield* Effect.provide(recover("key"), contained(directory, "2"))
      assert.deepStrictEqual(yield* files(directory), [])
    }))

  test("is nobody's as soon as its holder in another container is dead", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const scope = yield* Scope.make()
      yield* Scope.provide(open(contained(directory, "1")), scope)
      const text = yield* fs.readFileString(yield* only(directory, ".lease"))
      const beacon = yield* only(directory, ".alive")
      yield* Scope.close(scope, Exit.void)
      yield* leave(directory, text)
      yield* dieListening(beacon)
      yield* Effect.provide(recover("key"), contained(directory, "2"))
      assert.deepStrictEqual(yield* files(directory), [])
    }))

  test("is another container's for a minute if its sign of life is deleted", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      yield* open(contained(directory, "1"))
      yield* fs.remove(yield* only(directory, ".alive"))
      const other = Effect.provide(recover("key"), contained(directory, "2"))
      assert.strictEqual(yield* tagOf(other), "Busy")
      yield* silent(directory, 61)
      yield* other
    }))

  test("is another container's for a minute where its path is too long for a socket", (directory) =>
    Effect.gen(function* () {
      const below = `${directory}/${"long".repeat(20)}`
      yield* open(contained(below, "1"))
      assert.strictEqual((yield* files(below)).length, 1)
      const other = Effect.provide(recover("key"), contained(below, "2"))
      assert.strictEqual(yield* tagOf(other), "Busy")
      yield* silent(below, 61)
      yield* other
    }))

  test("that can't be read is respected for a minute, and then replaced", (directory) =>
    Effect.gen(function* () {
      for (const text of ["", "{", JSON.stringify({ ...holder, token: "../../etc" }), "\0"]) {
        yield* leave(directory, text)
        const error = yield* refusal(Effect.provide(recover("key"), here(directory)))
        assert.include(error.message, "a process that left no readable name")
        yield* leave(directory, text, 61)
        yield* Effect.provide(recover("key"), here(directory))
        assert.deepStrictEqual(yield* files(directory), [])
      }
    }))

  test("that is damaged is somebody's, or nobody's, but never a crash", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const scope = yield* Scope.make()
      const log = yield* Scope.provide(open(here(directory)), scope)
      yield* log.begin(header())
      const lease = yield* only(directory, ".lease")
      const text = yield* fs.readFile(lease)
      const seen = new Set<string>()
      for (let at = 0; at < text.length; at += 5) {
        const flipped = text.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte))
        for (const damage of [flipped, text.subarray(0, at)]) {
          yield* fs.writeFile(lease, damage)
          yield* silent(directory, 0)
          const found = yield* Effect.result(Effect.provide(recover("key"), here(directory)))
          seen.add(Result.isSuccess(found) ? "free" : found.failure.reason._tag)
        }
      }
      // A holder that has another id, or another start, is dead.
      assert.deepStrictEqual([...seen].toSorted(), ["Busy", "free"])
      assert.strictEqual(yield* tagOf(log.append(part(1))), "LeaseLost")
      yield* Scope.close(scope, Exit.void)
    }))

  test("that is a link to nowhere is an error, not a wait without end", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      yield* leave(directory, "")
      const lease = yield* only(directory, ".lease")
      yield* fs.remove(lease)
      yield* fs.symlink("nowhere", lease)
      assert.strictEqual(yield* tagOf(Effect.provide(recover("key"), here(directory))), "Untrusted")
      assert.strictEqual((yield* files(directory)).length, 1)
    }))

  test("is kept by its holder's signs of life, on another host too", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      yield* open(there(directory))
      const lease = yield* only(directory, ".lease")
      const seen = Effect.map(fs.stat(lease), ({ mtime }) => Option.getOrThrow(mtime).getTime())
      const first = yield* seen
      for (let life = 1; life <= 6; life++) {
        const last = yield* seen
        yield* Effect.andThen(TestClock.adjust("1 second"), seen).pipe(
          Effect.repeat({ until: (now) => now > last })
        )
        assert.strictEqual(yield* tagOf(open(here(directory))), "Busy")
      }
      assert.isAtLeast((yield* seen) - first, 100_000)
    }))

  test("is lost by a holder on another host that gives no sign of life", (directory) =>
    Effect.gen(function* () {
      const old = yield* open(there(directory, cutOff))
      yield* old.begin(header())
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* tagOf(open(here(directory))), "Busy")
      yield* TestClock.adjust("1 second")
      const log = yield* open(here(directory))
      assert.deepStrictEqual(log.recovered, some({ header: header(), parts: [] }))
      assert.strictEqual(yield* tagOf(old.append(part(1))), "LeaseLost")
    }))

  test("is on the disk whole before it has its name, also when it is taken over", (directory) =>
    Effect.gen(function* () {
      for (const call of ["link", "rename"]) {
        const steps: Array<string> = []
        const noting: Hook = ({ call, path }) =>
          Effect.sync(() => void (path.endsWith(".lease.tmp") && steps.push(call)))
        if (call === "rename") yield* leave(directory, JSON.stringify(holder), 61)
        yield* Effect.scoped(open(here(directory, noting)))
        const named = steps.lastIndexOf(call)
        assert.isAtLeast(named, 0)
        const written = steps.lastIndexOf("writeFileString", named)
        assert.include(steps.slice(written, named), "sync")
      }
    }))

  test("leaves a claim on it to the process that made it", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      // The new holder has its lease, and is about to clear away what dead runs left.
      const slow = gate(({ call, path }) => call === "remove" && path.endsWith(".lease.tmp"))
      const opening = yield* Effect.forkScoped(open(here(directory, slow.hook)))
      yield* slow.reached
      const lease = yield* fs.readFileString(yield* only(directory, ".lease"))
      const claim = (token: string | undefined) => `${hashOf(keyOf("key"))}.${token}.1.claim`
      const own = /"token":"([0-9a-f-]+)"/.exec(lease)?.[1]
      yield* plant(directory, claim(own), "")
      yield* plant(directory, claim(holder.token), "")
      yield* slow.open
      yield* Fiber.join(opening)
      assert.include(yield* only(directory, ".claim"), claim(own))
    }))

  test("goes to one of many who want a dead one's", (directory) =>
    Effect.gen(function* () {
      yield* leave(directory, JSON.stringify(holder), 61)
      const opened = yield* Effect.forEach(
        Array.from({ length: 10 }),
        () => Effect.result(open(here(directory))),
        { concurrency: "unbounded" }
      )
      const refusals = opened.filter(Result.isFailure).map(({ failure }) => failure.reason._tag)
      assert.deepStrictEqual(
        refusals,
        Array.from({ length: 9 }, () => "Busy")
      )
    }))

  for (const call of ["writeFileString", "utimes", "link"]) {
    test(`is not taken from the new holder by one who was slow to ${call}`, (directory) =>
      Effect.gen(function* () {
        yield* leave(directory, JSON.stringify(holder), 61)
        const slow = gate((step) => step.call === call)
        const late = yield* Effect.forkScoped(Effect.result(open(here(directory, slow.hook))))
        yield* slow.reached
        const log = yield* open(here(directory))
        yield* slow.open
        const opened = yield* Fiber.join(late)
        assert.isTrue(Result.isFailure(opened) && opened.failure.reason._tag === "Busy")
        yield* log.begin(header())
        yield* log.append(part(1))
        assert.strictEqual((yield* files(directory)).length, 2)
      }))
  }

  test("that is being taken is busy", (directory) =>
    Effect.gen(function* () {
      yield* leave(directory, JSON.stringify(holder), 61)
      const slow = gate(({ call }) => call === "rename")
      const taking = yield* Effect.forkScoped(open(here(directory, slow.hook)))
      yield* slow.reached
      const error = yield* refusal(open(here(directory)))
      assert.include(error.message, `in use by process ${process.pid}`)
      yield* slow.open
      const log = yield* Fiber.join(taking)
      yield* log.begin(header())
    }))

  test("stays the new holder's when the old one wakes up and closes", (directory) =>
    Effect.gen(function* () {
      const slow = gate(({ call, path }) => call === "link" && path.endsWith(".lease"))
      const scope = yield* Scope.make()
      yield* Scope.provide(open(there(directory, slow.hook)), scope)
      const closing = yield* Effect.forkScoped(Scope.close(scope, Exit.void))
      yield* slow.reached
      yield* silent(directory, 61)
      const log = yield* open(here(directory))
      yield* slow.open
      yield* Fiber.join(closing)
      yield* log.begin(header())
      assert.strictEqual(yield* tagOf(open(there(directory))), "Busy")
      assert.strictEqual((yield* files(directory)).length, 2)
    }))
})
