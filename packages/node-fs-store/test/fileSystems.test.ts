/** File systems without hard links, times, or syncs of directories: FAT, exFAT, SMB shares. */
import { assert, describe, it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { Effect, Exit, FileSystem, Layer, Option, PlatformError, Scope } from "effect"
import { CheckpointStore } from "@effect-oss/core"
import * as CheckpointStoreContract from "@effect-oss/core/testing/CheckpointStoreContract"
import {
  header,
  keyOf,
  parts,
  recover,
  refusal
} from "../../core/test/support/CheckpointStoreContract.ts"
import { hashOf } from "../src/internal/place.ts"
import { files, layerHooked, plant, temporaryDirectory, type Hook } from "./support/support.ts"

const refused = (code: string) =>
  Effect.fail(
    PlatformError.systemError({
      _tag: "Unknown",
      module: "FileSystem",
      method: "link",
      cause: Object.assign(new Error(`${code}: operation not supported`), { code })
    })
  )

const isDirectory = (path: string) => !path.split("/").at(-1)?.includes(".")

/** Refuses what FAT, exFAT and SMB don't know. */
const poor: Hook = ({ call, path }) => {
  if (call === "link") return refused("EPERM")
  if (call === "utimes") return refused("ENOSYS")
  if (call === "sync" && isDirectory(path)) return refused("EINVAL")
  return Effect.void
}

const layer = Layer.unwrap(
  Effect.map(temporaryDirectory, (directory) => layerHooked(directory, poor))
).pipe(Layer.provide(NodeServices.layer))

describe("a store on a file system without hard links, times or syncs of directories", () => {
  it.live.each(CheckpointStoreContract.laws.filter(({ name }) => !name.includes("10,000")))(
    "$name",
    ({ check }) => Effect.provide(check, layer)
  )

  it.live("leaves nothing but the journal, and is free again once it is closed", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const store = layerHooked(directory, poor)
      const scope = yield* Scope.make()
      const open = CheckpointStore.CheckpointStore.use(({ open }) => open(keyOf("key")))
      const log = yield* Scope.provide(Effect.provide(open, store), scope)
      yield* log.begin(header())
      yield* Effect.forEach(parts(2), log.append)
      const { reason } = yield* refusal(Effect.provide(recover("key"), store))
      assert.strictEqual(reason._tag, "Busy")
      yield* Scope.close(scope, Exit.void)
      assert.match((yield* files(directory)).join(), /^[^,]*\.journal$/)
      assert.deepStrictEqual(
        yield* Effect.provide(recover("key"), store),
        Option.some({ header: header(), parts: parts(2) })
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("respects a lease that another process is just writing", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const store = layerHooked(directory, poor)
      const path = yield* plant(directory, `${hashOf(keyOf("key"))}.lease`, "")
      const error = yield* refusal(Effect.provide(recover("key"), store))
      assert.include(error.message, "a process that left no readable name")
      const fs = yield* FileSystem.FileSystem
      yield* fs.utimes(path, 1, 1)
      assert.isTrue(Option.isNone(yield* Effect.provide(recover("key"), store)))
      assert.deepStrictEqual(yield* files(directory), [])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
