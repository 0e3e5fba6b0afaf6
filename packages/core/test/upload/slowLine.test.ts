import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, Source, Upload, UploadMany } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, Layer, Stream } from "effect"
import * as Line from "../support/line.ts"
import { inTime, key } from "../support/world.ts"

const world = (line: Line.Options) =>
  Layer.merge(Line.layer(line, OssEmulator.layerClient()), CheckpointStore.layerMemory)

const source = (size: number) => Source.bytes(new Uint8Array(size), "source")

const lines: ReadonlyArray<readonly [string, size: number, Line.Options]> = [
  [
    "40 MB through a proxy that takes all at once, 200 kB/s",
    40e6,
    { rate: 200e3, buffer: Infinity }
  ],
  ["12 MB over 256 kbit/s", 12e6, { rate: 32e3, buffer: 2.5e6 }],
  ["12 MB over 256 kbit/s through such a proxy", 12e6, { rate: 32e3, buffer: Infinity }],
  ["20 MB over 512 kbit/s", 20e6, { rate: 64e3, buffer: 1e6 }],
  ["12 MB over 64 kbit/s", 12e6, { rate: 8e3, buffer: 2.5e6 }],
  ["12 MB over 64 kbit/s through such a proxy", 12e6, { rate: 8e3, buffer: Infinity }],
  ["7 MB with one request over 256 kbit/s", 7e6, { rate: 32e3, buffer: Infinity }]
]

describe("over a slow line", () => {
  it.effect.each(lines)(
    "%s: an upload ends with the defaults, and sends little twice",
    ([_, size, line]) =>
      Effect.gen(function* () {
        const result = yield* inTime(Upload.upload({ key, source: source(size) }))
        assert.isTrue(result.verified)
        assert.isAtMost(result.sent, 1.1 * size)
      }).pipe(Effect.provide(world(line)))
  )

  it.effect.each([1e6, Infinity])(
    "1 Mbit/s and 16 parts at once, with %d bytes of buffer: an upload sends little twice",
    (buffer) =>
      Effect.gen(function* () {
        const size = 64e6
        const result = yield* inTime(
          Upload.upload({ key, source: source(size), partSize: 4e6, concurrency: 16 })
        )
        assert.isTrue(result.verified)
        assert.isAtMost(result.sent, 1.1 * size)
      }).pipe(Effect.provide(world({ rate: 125e3, buffer })))
  )

  it.effect("many files end, too, with the requests that wait behind their parts", () =>
    Effect.gen(function* () {
      const requests = Array.from({ length: 6 }, (_, n) => ({
        key: `files/${n}`,
        source: Source.bytes(new Uint8Array(3e6), `${n}`),
        partSize: 1e6
      }))
      const outcomes = yield* inTime(
        Stream.runCollect(UploadMany.uploadAll(Stream.fromIterable(requests)))
      )
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Completed"))
    }).pipe(Effect.provide(world({ rate: 32e3, buffer: Infinity })))
  )
})
