import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { OssClient, Source, Upload } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, FileSystem, Layer, Option } from "effect"
import {
  assertWhole,
  bucket,
  contentOf,
  fiveParts,
  key,
  partSize,
  partsSent,
  pending,
  world
} from "../support/world.ts"

const size = fiveParts.length
const other = contentOf(size, 2)

/** What can happen to a file, and what it holds then. */
const changes: ReadonlyArray<
  [
    string,
    Uint8Array | null,
    (fs: FileSystem.FileSystem, path: string) => Effect.Effect<void, unknown>
  ]
> = [
  ["rewritten with the same size", other, (fs, path) => fs.writeFile(path, other)],
  ["appended to", contentOf(size + 10), (fs, path) => fs.writeFile(path, contentOf(size + 10))],
  ["cut short", fiveParts.subarray(0, size - 10), (fs, path) => fs.truncate(path, size - 10)],
  [
    "replaced by another file",
    other,
    (fs, path) => Effect.andThen(fs.writeFile(`${path}.new`, other), fs.rename(`${path}.new`, path))
  ],
  ["touched", fiveParts, (fs, path) => fs.utimes(path, 1_000, 1_000)],
  ["deleted", null, (fs, path) => fs.remove(path)]
]

const fileWorld = Layer.merge(world, NodeServices.layer)

const withFile = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = `${yield* fs.makeTempDirectoryScoped()}/source.bin`
  yield* fs.writeFile(path, fiveParts)
  const request: Upload.UploadRequest<never, FileSystem.FileSystem> = {
    key,
    source: Source.file(path),
    partSize,
    concurrency: 1
  }
  return { fs, path, request }
})

/** A client that does something right before it sends part 3. */
const beforePart3 = (happens: Effect.Effect<void, unknown>) =>
  Effect.map(OssClient.OssClient, (client) =>
    OssClient.OssClient.of({
      ...client,
      uploadPart: (part) =>
        part.number === 3
          ? Effect.andThen(Effect.orDie(happens), client.uploadPart(part))
          : client.uploadPart(part)
    })
  )

// In real time: that of files is.
describe("a file that is", () => {
  it.live.each(changes)(
    "%s while it is read makes no object, and the next run starts afresh",
    ([_, now, change]) =>
      Effect.gen(function* () {
        const { fs, path, request } = yield* withFile
        const client = yield* beforePart3(change(fs, path))
        const run = Effect.provideService(Upload.upload(request), OssClient.OssClient, client)
        const error = yield* Effect.flip(run)
        assert.isTrue(error._tag === "SourceError" && error.reason._tag === "SourceChanged")
        const emulator = yield* OssEmulator.OssEmulator
        assert.isTrue(Option.isNone(yield* emulator.object(bucket, key)))
        if (now === null) return
        yield* Upload.upload(request)
        yield* assertWhole(now)
      }).pipe(Effect.scoped, Effect.provide(fileWorld))
  )

  const stop = Effect.die("stopped")
  it.live.each(changes)("%s between two runs is uploaded as it is then", ([_, now, change]) =>
    Effect.gen(function* () {
      const { fs, path, request } = yield* withFile
      const client = yield* beforePart3(stop)
      yield* Effect.exit(Effect.provideService(Upload.upload(request), OssClient.OssClient, client))
      assert.strictEqual((yield* pending)[0]?.parts, 2)
      yield* change(fs, path)
      if (now === null) {
        const error = yield* Effect.flip(Upload.upload(request))
        assert.isTrue(error._tag === "SourceError" && error.reason._tag === "SourceNotFound")
        return
      }
      yield* Upload.upload(request)
      yield* assertWhole(now)
    }).pipe(Effect.scoped, Effect.provide(fileWorld))
  )

  it.live.each(changes.filter(([, now]) => now !== null))(
    "%s between two runs fails the second if asked to, and keeps the first's parts",
    ([_, _now, change]) =>
      Effect.gen(function* () {
        const { fs, path, request } = yield* withFile
        const client = yield* beforePart3(stop)
        yield* Effect.exit(
          Effect.provideService(Upload.upload(request), OssClient.OssClient, client)
        )
        yield* change(fs, path)
        const error = yield* Effect.flip(Upload.upload({ ...request, onSourceChanged: "fail" }))
        assert.isTrue(error._tag === "SourceError" && error.reason._tag === "SourceChanged")
        assert.strictEqual((yield* pending)[0]?.parts, 2)
        assert.deepStrictEqual(yield* partsSent, [1, 2])
      }).pipe(Effect.scoped, Effect.provide(fileWorld))
  )
})
