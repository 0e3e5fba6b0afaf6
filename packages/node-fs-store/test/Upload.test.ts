/** Uploads whose checkpoints get into trouble: never a wrong resume, and an error that names the file and the remedy. */
import { assert, describe, it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { Crc64, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, FileSystem, Layer, PlatformError } from "effect"
import {
  assertWhole,
  bucket,
  fiveParts,
  partsSent,
  requestFor
} from "../../core/test/support/world.ts"
import {
  diskFull,
  files,
  layerHooked,
  layerIn,
  only,
  temporaryDirectory,
  type Hook
} from "./support/support.ts"

const request = requestFor(fiveParts, { concurrency: 1 })

const test = <E>(
  title: string,
  body: (
    directory: string
  ) => Effect.Effect<void, E, OssEmulator.OssEmulator | Layer.Success<typeof services>>
) =>
  it.effect(title, () =>
    Effect.flatMap(temporaryDirectory, body).pipe(Effect.scoped, Effect.provide(services))
  )
const services = Layer.merge(OssEmulator.layerClient(), NodeServices.layer)

/** Runs into something once three parts are durable: `happens` right before the fourth is recorded. */
const beforePart4 = (happens: Effect.Effect<void, PlatformError.PlatformError>): Hook => {
  let syncs = 0
  return ({ call, path }) =>
    call === "write" && path.includes(".journal") && ++syncs === 2 * 1 + 2 * 3 + 1
      ? happens
      : Effect.void
}

const readOnly = PlatformError.systemError({
  _tag: "Unknown",
  module: "FileSystem",
  method: "open",
  cause: Object.assign(new Error("EROFS: read-only file system, open"), { code: "EROFS" })
})

const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.inject(...faults))

describe("an upload over a store of files", () => {
  const troubles = [
    ["full", diskFull, /ENOSPC/],
    ["read-only", readOnly, /EROFS/]
  ] as const
  for (const [name, trouble, code] of troubles) {
    test(`on a disk that becomes ${name} fails, and carries on once that is mended`, (directory) =>
      Effect.gen(function* () {
        let isInTrouble = false
        const begin = beforePart4(Effect.sync(() => void (isInTrouble = true)))
        const hook: Hook = (step) =>
          Effect.andThen(
            begin(step),
            Effect.suspend(() => (isInTrouble ? Effect.fail(trouble) : Effect.void))
          )
        const error = yield* Upload.upload(request).pipe(
          Effect.provide(layerHooked(directory, hook, { started: "1" })),
          Effect.flip
        )
        assert.isTrue(error._tag === "CheckpointError" && error.reason._tag === "Unavailable")
        assert.match(error.message, code)
        assert.include(error.message, directory)
        const before = yield* partsSent
        assert.deepStrictEqual(before, [1, 2, 3, 4])
        yield* Effect.provide(Upload.upload(request), layerIn(directory))
        // The fourth is there, though it could not be recorded.
        assert.deepStrictEqual((yield* partsSent).slice(before.length), [5])
        yield* Effect.provide(assertWhole(fiveParts), layerIn(directory))
        assert.deepStrictEqual(yield* files(directory), [])
      }))
  }

  test("whose directory is removed in the middle fails, says so, and begins again", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const below = `${directory}/below`
      const hook = beforePart4(fs.remove(below, { recursive: true }))
      const error = yield* Upload.upload(request).pipe(
        Effect.provide(layerHooked(below, hook)),
        Effect.flip
      )
      assert.isTrue(error._tag === "CheckpointError" && error.reason._tag === "Unavailable")
      assert.include(error.message, `${below}: cannot be used: it was removed while`)
      const [upload] = yield* OssEmulator.OssEmulator.use(({ uploads }) => uploads(bucket))
      assert.strictEqual(upload?.parts.length, 4)
      const sent = (yield* partsSent).length
      yield* Effect.provide(Upload.upload({ ...request, discover: true }), layerIn(below))
      assert.deepStrictEqual((yield* partsSent).slice(sent), [5])
      yield* Effect.provide(assertWhole(fiveParts), layerIn(below))
    }))

  /** A run that was refused at its last part, with its only file and what that holds. */
  const stopped = Effect.fnUntraced(function* (directory: string) {
    const fs = yield* FileSystem.FileSystem
    yield* inject(
      Fault.answer({ operation: "uploadPart", partNumber: 5, status: 403, code: "AccessDenied" })
    )
    yield* Effect.flip(Effect.provide(Upload.upload(request), layerIn(directory)))
    const journal = yield* only(directory, ".journal")
    return { journal, bytes: yield* fs.readFile(journal) }
  })

  /** The journal, cut off or with one bit flipped, at a few of the places that journal.test.ts takes all of. */
  const damages = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
    const places = Array.from({ length: 25 }, (_, n) => Math.floor((n * bytes.length) / 25))
    const ends = places.flatMap((at) => [at, bytes.indexOf(10, at), bytes.indexOf(10, at) + 1])
    const cut = [...new Set(ends)].map((end) => bytes.subarray(0, end))
    const flipped = places.map((at) => bytes.map((byte, n) => (n === at ? byte ^ 1 : byte)))
    return [...cut, ...flipped]
  }

  test("carries on rightly with what is left of a journal, or says that it is damaged", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const emulator = yield* OssEmulator.OssEmulator
      const { journal, bytes } = yield* stopped(directory)
      const run = Effect.provide(Upload.upload(request), layerIn(directory))
      const ends = { carriedOn: 0, refused: 0 }
      for (const damaged of damages(bytes)) {
        yield* fs.writeFile(journal, damaged)
        // So that there is something to carry on with the next time.
        yield* inject(Fault.answer({ operation: "complete", status: 403, code: "AccessDenied" }))
        const error = yield* Effect.flip(run)
        if (error._tag === "OssError") {
          ends.carriedOn++
          const uploads = yield* emulator.uploads(bucket)
          assert.deepStrictEqual(
            uploads.map(({ parts }) => parts.length),
            [5]
          )
        } else {
          ends.refused++
          assert.isTrue(error._tag === "CheckpointError" && error.reason._tag === "Damaged")
          assert.include(error.message, `${journal}: not a usable checkpoint`)
          assert.include(error.message, "delete it")
          assert.deepStrictEqual(yield* fs.readFile(journal), damaged)
        }
        yield* emulator.clearFaults
        yield* Effect.forEach(yield* files(directory), (name) => fs.remove(`${directory}/${name}`))
      }
      assert.isAbove(ends.carriedOn, 15)
      assert.isAbove(ends.refused, 15)
      yield* fs.writeFile(journal, bytes)
      yield* run
      yield* Effect.provide(assertWhole(fiveParts), layerIn(directory))
      assert.deepStrictEqual(yield* partsSent, [1, 2, 3, 4, 5, 5])
    }))

  test("leaves a newer version's file alone, and says what to do", (directory) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { journal } = yield* stopped(directory)
      const json = JSON.stringify({ format: "effect-oss checkpoint", version: 2 })
      const sum = Crc64.of(new TextEncoder().encode(json)).toString(16).padStart(16, "0")
      yield* fs.writeFileString(journal, `${sum} ${json}\n`)
      const run = Effect.provide(Upload.upload(request), layerIn(directory))
      const error = yield* Effect.flip(run)
      assert.isTrue(error._tag === "CheckpointError" && error.reason._tag === "UnknownVersion")
      assert.include(error.message, `${journal}: written in format 2`)
      assert.include(error.message, "use a newer version")
      assert.strictEqual(yield* fs.readFileString(journal), `${sum} ${json}\n`)
    }))
})
