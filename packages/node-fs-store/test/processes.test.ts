/** Real processes, killed for real. */
import { assert, describe, it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { Effect, Option } from "effect"
import { CheckpointStore } from "@effect-oss/core"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { part, recover, refusal, withLog } from "../../core/test/support/CheckpointStoreContract.ts"
import { Child } from "../../core/test/support/Child.ts"
import { files, layerIn, temporaryDirectory } from "./support/support.ts"

/** What comes before a command to run it in a container of its own, which ends with it. */
const container = "unshare --map-root-user --pid --fork --mount-proc --kill-child".split(" ")
const [unshare = "", ...flags] = container
const hasContainers = spawnSync(unshare, [...flags, "true"]).status === 0

const script = fileURLToPath(new URL("support/child.ts", import.meta.url))

const start = (mode: string, directory: string, within: ReadonlyArray<string> = []) => {
  const [command, ...args] = [...within, process.execPath, script, mode, directory, "key"]
  return Effect.acquireRelease(
    Effect.sync(() => new Child(command, args)),
    (child) => child.kill
  )
}

const test = (
  title: string,
  body: (
    directory: string
  ) => Effect.Effect<void, unknown, CheckpointStore.CheckpointStore | NodeServices.NodeServices>,
  condition = true
) =>
  it.live.runIf(condition)(title, () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.provide(body(directory), layerIn(directory))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

describe("a store of files, used by processes", () => {
  test("is busy while another process lives, and free as soon as it is killed", (directory) =>
    Effect.gen(function* () {
      const child = yield* start("hold", directory)
      yield* child.said(1)
      const { reason } = yield* refusal(recover("key"))
      assert.strictEqual(reason._tag, "Busy")
      assert.include(reason._tag === "Busy" ? reason.holder : "", `process ${child.process.pid} on`)

      yield* child.kill
      assert.isTrue(Option.isSome(yield* recover("key")))
      yield* withLog("key", (log) => log.remove)
      assert.deepStrictEqual(yield* files(directory), [])
    }).pipe(Effect.scoped))

  test("has every part that was reported as recorded, however often its process is killed", (directory) =>
    Effect.gen(function* () {
      const reported = new Set<number>()
      for (const life of [3, 150, 40]) {
        const child = yield* start("append", directory)
        yield* child.said(life)
        yield* child.kill
        for (const line of child.lines) reported.add(Number(line.split(" ")[1]))
        const { parts } = Option.getOrThrow(yield* recover("key"))
        const recovered = new Set(parts.map(({ number }) => number))
        assert.deepStrictEqual(
          [...reported].filter((number) => !recovered.has(number)),
          []
        )
        assert.deepStrictEqual(
          parts,
          parts.map(({ number }) => part(number))
        )
      }
      assert.isAtLeast(reported.size, 193)
      yield* withLog("key", (log) => log.remove)
      assert.deepStrictEqual(yield* files(directory), [])
    }).pipe(Effect.scoped))

  test("has one holder when several processes want what a dead one left", (directory) =>
    Effect.gen(function* () {
      const dead = yield* start("hold", directory)
      const children = yield* Effect.forEach([1, 2, 3], () => start("race", directory))
      yield* dead.said(1)
      yield* Effect.forEach(children, (child) => child.said(1))
      yield* dead.kill
      for (const child of children) child.process.stdin.write("go\n")
      const words = yield* Effect.forEach(children, (child) => child.said(2))
      assert.deepStrictEqual(words.map(([, word]) => word).sort(), ["Busy", "Busy", "held"])
    }).pipe(Effect.scoped))

  test(
    "is another container's while its process lives, and free as soon as that is killed",
    (directory) =>
      Effect.gen(function* () {
        const holder = yield* start("hold", directory, container)
        yield* holder.said(1)
        assert.include((yield* refusal(recover("key"))).message, "in use by process 1 on host")
        const other = yield* start("race", directory, container)
        yield* other.said(1)
        yield* holder.kill
        other.process.stdin.write("go\n")
        assert.strictEqual((yield* other.said(2))[1], "held")
        assert.strictEqual((yield* refusal(recover("key"))).reason._tag, "Busy")
        yield* other.kill
        yield* withLog("key", (log) => log.remove)
        assert.deepStrictEqual(yield* files(directory), [])
      }).pipe(Effect.scoped),
    hasContainers
  )
})
