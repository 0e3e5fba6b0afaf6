/** What disks and shares do to a file while it is uploaded. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Source, Upload } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, Exit, FileSystem, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import { contentOn, disk, type Disk, fileSystem, logged } from "../support/disk.ts"
import { assertWhole, bucket, key, partSize, partsSent, world } from "../support/world.ts"
import * as Slice from "../../src/internal/source/slice.ts"

const path = "/share/file"
const KiB = 1024
const MiB = 1024 * KiB

const upload = (disk: Disk, options: Partial<Upload.UploadRequest> = {}) =>
  Effect.provide(
    Upload.upload({ key, partSize, concurrency: 1, ...options, source: Source.file(path) }),
    fileSystem(disk)
  )

const nothingIsStored = Effect.gen(function* () {
  const emulator = yield* OssEmulator.OssEmulator
  assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
})

const changedIn = <A, R>(effect: Effect.Effect<A, Upload.UploadError, R>) =>
  Effect.map(Effect.flip(effect), (error) => {
    if (error._tag !== "SourceError") return assert.fail(error.message)
    assert.strictEqual(error.reason._tag, "SourceChanged")
    return error.message
  })

describe("the size of a file", () => {
  it.effect.each<[string, Partial<Disk>]>([
    ["is 0, as those of /proc say,", { size: 0, length: 1_500 }],
    ["is less than there is", { size: 1_000, length: 1_001 }],
    ["is less than there is of several parts", { size: 3 * partSize, length: 3 * partSize + 1 }],
    ["is more than there is, as those of /sys say", { size: 4_096, length: 12 }],
    ["is more than there is of several parts", { size: 3 * partSize, length: 2 * partSize }]
  ])("that %s is not believed, and nothing is stored", ([, given]) =>
    Effect.gen(function* () {
      const message = yield* changedIn(upload(disk(given)))
      assert.match(message, /it (goes on after|ends at byte \d+, before) its size of \d+ bytes/)
      yield* nothingIsStored
    }).pipe(Effect.provide(world))
  )

  it.effect.each([0, 1, 1_000, partSize, 3 * partSize])("of %s bytes that is true is", (size) =>
    Effect.gen(function* () {
      const file = disk({ size })
      yield* upload(file)
      yield* assertWhole(contentOn(file))
    }).pipe(Effect.provide(world))
  )

  it.live.runIf(process.platform === "linux")("of /proc/meminfo is not believed", () =>
    Effect.gen(function* () {
      const failing = Upload.upload({ key, source: Source.file("/proc/meminfo") })
      assert.include(yield* changedIn(failing), "goes on after its size of 0 bytes")
      yield* nothingIsStored
    }).pipe(Effect.provide([world, NodeServices.layer]))
  )
})

describe("many files of one directory", () => {
  /** A file system that tells links from files, and what it was asked. */
  const counting = (type: "File" | "SymbolicLink") => {
    const asked = { looks: 0, realPaths: new Array<string>() }
    const layer = Layer.effect(
      FileSystem.FileSystem,
      Effect.map(FileSystem.FileSystem, (fs) => ({
        ...fs,
        lstat: (path) => {
          asked.looks++
          return Effect.map(fs.stat(path), (info) => ({ ...info, type }))
        },
        realPath: (path) => {
          asked.realPaths.push(path)
          return Effect.succeed(`/real${path}`)
        }
      }))
    ).pipe(Layer.provide(fileSystem(disk({ size: 10 }))))
    return { asked, layer }
  }
  const idOf = (path: string) => Effect.map(Source.file(path).open, ({ id }) => id)

  it.effect("look up where it really is once a second", () => {
    const { asked, layer } = counting("File")
    return Effect.gen(function* () {
      assert.strictEqual(yield* idOf("/share/a"), "file:/real/share/a")
      assert.strictEqual(yield* idOf("/share/b"), "file:/real/share/b")
      assert.deepStrictEqual(asked, { looks: 2, realPaths: ["/share"] })
      yield* TestClock.adjust("1 second")
      yield* idOf("/share/c")
      assert.deepStrictEqual(asked.realPaths, ["/share", "/share"])
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("look up each link", () => {
    const { asked, layer } = counting("SymbolicLink")
    return Effect.gen(function* () {
      assert.strictEqual(yield* idOf("/share/a"), "file:/real/share/a")
      yield* idOf("/share/b")
      assert.deepStrictEqual(asked.realPaths, ["/share/a", "/share/b"])
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})

describe("a file that is written to", () => {
  const growing = (size: number) => {
    const file = disk({ size })
    file.onRead = () => {
      file.length += 100
      file.size += 100
      file.modified = Date.UTC(2031, 0, 1, 0, 0, 5)
    }
    return file
  }

  it.effect("is noticed before everything has been sent, and the message shows sizes", () =>
    Effect.gen(function* () {
      const message = yield* changedIn(upload(growing(16 * MiB), { partSize: MiB }))
      assert.match(message, /its size was 16777216 bytes and is \d+ bytes/)
      assert.isAtMost((yield* partsSent).length, 2)
      yield* nothingIsStored
    }).pipe(Effect.provide(world))
  )

  it.effect("is noticed at the end of its former size, whatever the file system still says", () =>
    Effect.gen(function* () {
      const file = disk({ size: 2 * partSize })
      file.onRead = () => (file.length += 1)
      assert.include(yield* changedIn(upload(file)), "it goes on after its size of 204800 bytes")
      yield* nothingIsStored
    }).pipe(Effect.provide(world))
  )

  it.effect("without another size is noticed, and the message shows times", () =>
    Effect.gen(function* () {
      const file = disk({ size: 2 * partSize })
      file.onRead = () => (file.modified = Date.UTC(2029, 5, 1))
      assert.include(
        yield* changedIn(upload(file)),
        "its time of modification was 2029-01-01T00:00:00.000Z and is 2029-06-01T00:00:00.000Z"
      )
      yield* nothingIsStored
    }).pipe(Effect.provide(world))
  )

  it.effect("is looked at 16 times, however large, and seldom enough to cost nothing", () =>
    Effect.gen(function* () {
      const file = disk({ size: 64 * MiB })
      yield* Effect.gen(function* () {
        const source = yield* Source.file(path).open
        const before = file.stats
        yield* Slice.crc64(source, 0, source.size)
        assert.strictEqual(file.stats - before, 16)
      }).pipe(Effect.scoped, Effect.provide(fileSystem(file)))
    })
  )
})

describe("a share that vanishes", () => {
  it.effect.each(["EIO", "ENOTCONN", "ESTALE"])("with %s is a typed error that names it", (code) =>
    Effect.gen(function* () {
      const { lines, layer } = logged()
      const file = disk({ size: 3 * partSize })
      file.onRead = () => {
        if (file.reads === 2) Object.assign(file.failing, { read: code, close: code })
      }
      const exit = yield* Effect.exit(Effect.provide(upload(file), layer))
      assert.isFalse(Exit.hasDies(exit))
      const error = Option.getOrThrow(Exit.findErrorOption(exit))
      if (error._tag !== "SourceError") return assert.fail(error.message)
      assert.deepInclude(error.reason, { _tag: "SourceUnreadable", code })
      assert.include(error.message, `cannot be read: ${code}: something is wrong, read`)
      assert.include(error.message, "mount it again")
      assert.lengthOf(lines, 1)
      assert.include(lines[0]!, "Warn /share/file: could not be closed")
      assert.include(lines[0]!, code)
    }).pipe(Effect.provide(world))
  )

  it.effect("when it is closed only, does not undo an upload that is whole", () =>
    Effect.gen(function* () {
      const { lines, layer } = logged()
      const file = disk({ size: 2 * partSize, failing: { close: "EIO" } })
      yield* Effect.provide(upload(file), layer)
      yield* assertWhole(contentOn(file))
      assert.lengthOf(lines, 1)
    }).pipe(Effect.provide(world))
  )

  it.effect.each<[keyof Disk["failing"], string, string]>([
    ["open", "EMFILE", "raise the limit of open files (see `ulimit -n`)"],
    ["open", "ENFILE", "raise the limit of open files"],
    ["open", "EACCES", "let this process read it"],
    ["stat", "ESTALE", "mount it again"],
    ["read", "ETIMEDOUT", "mount it again"],
    ["read", "EUNHEARDOF", "see that this process may read it"]
  ])("fails in %s with %s, and it says what to do", ([call, code, advice]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(upload(disk({ size: 1_000, failing: { [call]: code } })))
      assert.include(error.message, `${code}: something is wrong, ${call}`)
      assert.include(error.message, advice)
    }).pipe(Effect.provide(world))
  )
})
