/** Files whose inode is another one at the next run, as after a remount of sshfs, or on a moved disk. */
import { assert, describe, it } from "@effect/vitest"
import { Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect } from "effect"
import type { Disk } from "../support/disk.ts"
import { contentOn, disk, fileSystem } from "../support/disk.ts"
import { assertWhole, key, partSize, partsSent, world } from "../support/world.ts"

const inject = (fault: Fault.Fault) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.inject(fault))

const upload = (file: Disk, options: Partial<Upload.UploadRequest> = {}) =>
  Effect.provide(
    Upload.upload({
      key,
      partSize,
      concurrency: 1,
      ...options,
      source: Source.file("/share/file")
    }),
    fileSystem(file)
  )

/** A file of four parts, of which OSS has three. */
const interrupted = Effect.gen(function* () {
  const file = disk({ size: 4 * partSize })
  yield* inject(
    Fault.answer({ operation: "uploadPart", partNumber: 4, status: 403, code: "AccessDenied" })
  )
  yield* Effect.flip(upload(file))
  return file
})

const sentAgain = Effect.map(partsSent, (sent) => sent.slice(4))

describe("a file whose inode is another one", () => {
  it.effect("keeps the parts that OSS has, after their CRC64 was compared", () =>
    Effect.gen(function* () {
      const file = yield* interrupted
      file.inode = 2
      const result = yield* upload(file, { onSourceChanged: "fail" })
      assert.strictEqual(result.resumed, 3 * partSize)
      assert.deepStrictEqual(yield* sentAgain, [4])
      yield* assertWhole(contentOn(file))
    }).pipe(Effect.provide(world))
  )

  it.effect("keeps them where parts can't be listed", () =>
    Effect.gen(function* () {
      const file = yield* interrupted
      file.inode = 2
      yield* inject(
        Fault.answer({ operation: "listParts", times: 9, status: 403, code: "AccessDenied" })
      )
      yield* upload(file)
      assert.deepStrictEqual(yield* sentAgain, [4])
      yield* assertWhole(contentOn(file))
    }).pipe(Effect.provide(world))
  )

  it.effect.each([true, false])(
    "sends the parts whose content is another one as well (parts can be listed: %s)",
    (canList) =>
      Effect.gen(function* () {
        const file = yield* interrupted
        file.inode = 2
        file.change = (offset) => (offset === partSize + 5 ? 1 : 0)
        if (!canList) {
          yield* inject(
            Fault.answer({ operation: "listParts", times: 9, status: 403, code: "AccessDenied" })
          )
        }
        yield* upload(file)
        assert.deepStrictEqual(yield* sentAgain, [2, 4])
        yield* assertWhole(contentOn(file))
      }).pipe(Effect.provide(world))
  )

  it.effect.each<[string, (file: Disk) => void]>([
    ["time", (file) => (file.modified += 5_000)],
    ["size", (file) => (file.length = file.size += 1)]
  ])("has changed if its %s differs too", ([, change]) =>
    Effect.gen(function* () {
      const file = yield* interrupted
      file.inode = 2
      change(file)
      assert.strictEqual((yield* upload(file)).resumed, 0)
      yield* assertWhole(contentOn(file))
    }).pipe(Effect.provide(world))
  )
})
