import { NodeServices } from "@effect/platform-node"
import { assert, describe, it, layer } from "@effect/vitest"
import { Crc64, Source } from "@effect-oss/core"
import { ByteSize, Clock, Effect, Fiber, FileSystem, Option } from "effect"
import { TestClock } from "effect/testing"
import * as Slice from "../../src/internal/source/slice.ts"

/** A file of this content in a directory that is removed with the scope. */
const fileOf = Effect.fnUntraced(function* (content: Uint8Array) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const path = `${directory}/source.bin`
  yield* fs.writeFile(path, content)
  return { fs, directory, path }
})

const content = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 31) >> 3)

const read = Effect.fnUntraced(function* (
  source: Source.RandomAccess,
  offset: number,
  size: number
) {
  const target = new Uint8Array(size)
  yield* source.read(target, offset)
  return target
})

const reasonOf = <A, R>(effect: Effect.Effect<A, Source.SourceError, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason._tag)

layer(NodeServices.layer, { excludeTestServices: true })("Source.file", (it) => {
  it.effect("gives any bytes, in any order, again and concurrently", () =>
    Effect.gen(function* () {
      const { path } = yield* fileOf(content)
      const source = yield* Source.file(path).open
      assert.strictEqual(source.size, content.length)
      const ranges = Array.from({ length: 50 }, (_, index) => (index * 7919 * 31) % 990_000)
      const pieces = yield* Effect.forEach(ranges, (offset) => read(source, offset, 10_000), {
        concurrency: 10
      })
      pieces.forEach((piece, index) => {
        const offset = ranges[index]!
        assert.deepStrictEqual(piece, content.slice(offset, offset + 10_000))
      })
      assert.strictEqual(
        yield* Slice.crc64(source, 5, 999_990),
        Crc64.of(content.subarray(5, 999_995))
      )
    })
  )

  it.effect(
    "has one id whatever the path to it, and keeps its fingerprint while it is left alone",
    () =>
      Effect.gen(function* () {
        const { path, directory, fs } = yield* fileOf(content)
        yield* fs.symlink(path, `${directory}/link`)
        const direct = yield* Source.file(path).open
        const linked = yield* Source.file(`${directory}/../${directory.split("/").at(-1)}/link`)
          .open
        assert.strictEqual(direct.id, linked.id)
        assert.strictEqual(direct.fingerprint, linked.fingerprint)
        assert.strictEqual(yield* direct.currentFingerprint, direct.fingerprint)
      })
  )

  it.effect("changes its fingerprint when it is written to, or another file takes its place", () =>
    Effect.gen(function* () {
      const { path, fs } = yield* fileOf(content)
      const source = yield* Source.file(path).open
      yield* fs.utimes(path, 1_000, 1_000)
      const touched = yield* source.currentFingerprint
      assert.notStrictEqual(touched, source.fingerprint)
      yield* fs.writeFile(`${path}.new`, content)
      yield* fs.utimes(`${path}.new`, 1_000, 1_000)
      yield* fs.rename(`${path}.new`, path)
      assert.notStrictEqual(yield* source.currentFingerprint, touched)
    })
  )

  it.effect("says that it changed when it ends before its size", () =>
    Effect.gen(function* () {
      const { path, fs } = yield* fileOf(content)
      const source = yield* Source.file(path).open
      yield* fs.truncate(path, 10)
      const error = yield* Effect.flip(read(source, 0, 20))
      assert.strictEqual(error.reason._tag, "SourceChanged")
      assert.include(error.message, "byte 10")
    })
  )

  it.effect("can't be opened if it is missing, a directory, or unreadable", () =>
    Effect.gen(function* () {
      const { path, directory, fs } = yield* fileOf(content)
      assert.strictEqual(yield* reasonOf(Source.file(`${path}.no`).open), "SourceNotFound")
      assert.strictEqual(yield* reasonOf(Source.file(directory).open), "SourceNotAFile")
      assert.strictEqual(yield* reasonOf(Source.file("/dev/null").open), "SourceNotAFile")
      yield* fs.symlink(`${directory}/loop`, `${directory}/loop`)
      assert.strictEqual(yield* reasonOf(Source.file(`${directory}/loop`).open), "SourceUnreadable")
    })
  )

  it.effect("takes an empty file", () =>
    Effect.gen(function* () {
      const { path } = yield* fileOf(new Uint8Array(0))
      const source = yield* Source.file(path).open
      assert.strictEqual(source.size, 0)
      assert.strictEqual(yield* Slice.crc64(source, 0, 0), 0n)
    })
  )
})

/** A file in a file system whose time goes by ticks. */
const ticking = (tick: number) => {
  let modified = 0
  let looks = 0
  const fileSystem = FileSystem.makeNoop({
    stat: () =>
      Effect.sync(() => {
        looks++
        return {
          type: "File" as const,
          mtime: Option.some(new Date(modified)),
          ino: Option.none(),
          size: ByteSize.bytes(10)
        } as FileSystem.File.Info
      }),
    open: () => Effect.succeed({} as FileSystem.File),
    realPath: Effect.succeed
  })
  const write = Effect.map(Clock.currentTimeMillis, (now) => {
    modified = Math.floor(now / tick) * tick
  })
  const open = Effect.provideService(Source.file("/file").open, FileSystem.FileSystem, fileSystem)
  return { write, open, looks: () => looks }
}

describe("Source.file of what was just written", () => {
  const noon = Date.UTC(2030, 0, 1, 12, 0, 0)

  it.effect.each([
    ["20 milliseconds", 8, noon + 8, 20],
    ["two seconds if it has whole seconds", 2_000, noon, 2_000]
  ] as const)("waits until a change would show, for %s", ([, tick, from, wait]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(from)
      const { write, open } = ticking(tick)
      yield* write
      const opening = yield* Effect.forkChild(open)
      yield* TestClock.adjust(tick - 1)
      // Within the same tick: this can't be told from the first, and so must come before anything is read.
      yield* write
      yield* TestClock.adjust(wait - tick)
      assert.isUndefined(opening.pollUnsafe())
      yield* TestClock.adjust(1)
      const source = yield* Fiber.join(opening)
      yield* write
      assert.notStrictEqual(yield* source.currentFingerprint, source.fingerprint)
    }).pipe(Effect.scoped)
  )

  it.effect("waits again if it was written to meanwhile, but not for ever", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(noon + 4)
      const { write, open, looks } = ticking(4)
      yield* write
      const opening = yield* Effect.forkChild(open)
      for (let times = 0; times < 30; times++) {
        yield* TestClock.adjust(10)
        yield* write
      }
      yield* Fiber.join(opening)
      assert.strictEqual(looks(), 11)
    }).pipe(Effect.scoped)
  )

  it.effect("waits if the file system's clock is ahead", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(noon + 60_004)
      const { write, open } = ticking(4)
      yield* write
      yield* TestClock.setTime(noon)
      const opening = yield* Effect.forkChild(open)
      yield* TestClock.adjust(19)
      assert.isUndefined(opening.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(opening)
    }).pipe(Effect.scoped)
  )

  it.effect.each([
    ["a tick ago", 20],
    ["long ago", 11 * 60_000],
    ["in another time, as tests have it", -(noon / 2)]
  ] as const)("does not wait if that was %s", ([, age]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(noon + 4)
      const { write, open, looks } = ticking(4)
      yield* write
      yield* TestClock.setTime(noon + 4 + age)
      yield* open
      assert.strictEqual(looks(), 1)
    }).pipe(Effect.scoped)
  )
})

describe("Source.bytes", () => {
  layer(NodeServices.layer)((it) => {
    it.effect("is the same source for the same name and content only", () =>
      Effect.gen(function* () {
        const one = yield* Source.bytes(content, "a").open
        const same = yield* Source.bytes(content.slice(), "a").open
        const other = yield* Source.bytes(content.subarray(1), "a").open
        assert.deepStrictEqual([same.id, same.fingerprint], [one.id, one.fingerprint])
        assert.notStrictEqual(other.fingerprint, one.fingerprint)
      })
    )
    it.effect("notices when its bytes are changed under it", () =>
      Effect.gen(function* () {
        const bytes = content.slice()
        const source = yield* Source.bytes(bytes).open
        bytes[500] = bytes[500]! ^ 1
        assert.notStrictEqual(yield* source.currentFingerprint, source.fingerprint)
      })
    )
  })
})
