import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, OssClient, RetryPolicy, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, Layer, Logger, Metric, References, Schedule, Tracer } from "effect"
import { NodeHttpClient } from "@effect/platform-node"
import { TestClock } from "effect/testing"
import { readFileSync } from "node:fs"
import { fixedKeys } from "../support/OssClientServer.ts"
import {
  bucket,
  contentOf,
  fiveParts,
  inTime,
  inject,
  key,
  requestFor,
  world
} from "../support/world.ts"
import * as Metrics from "../../src/internal/upload/instruments.ts"

/** What JavaScript's types of attributes are, by docs/observability.md. */
const documented = new Map(
  Array.from(
    readFileSync(new URL("../../../../docs/observability.md", import.meta.url), "utf8").matchAll(
      /^\| (`[^|]+`) +\| (text|bytes|number) +\|/gm
    ),
    ([, names = "", type]) =>
      names
        .split(", ")
        .map(
          (name) =>
            [name.replaceAll("`", "").trim(), type === "text" ? "string" : "number"] as const
        )
  ).flat()
)

/** Metrics of this test alone. */
const fresh = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.provideService(self, Metric.MetricRegistry, new Map())

/** All that was counted, `name{attributes}` in short, durations as their number. */
const counted = Effect.map(Metric.snapshot, (metrics) =>
  Object.fromEntries(
    metrics.map(({ id, attributes = {}, state }) => {
      const { unit: _, ...named } = attributes as Record<string, string>
      const value = "value" in state ? state.value : "count" in state ? state.count : undefined
      return [`${id} ${Object.values(named).toSorted().join(" ")}`, value]
    })
  )
)

const collecting = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const lines: Array<{ message: unknown; annotations: Record<string, unknown> }> = []
  const layer = Layer.mergeAll(
    Layer.succeed(
      Tracer.Tracer,
      Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
    ),
    Logger.layer([
      Logger.make(({ message, fiber }) => {
        lines.push({ message, annotations: { ...fiber.getRef(References.CurrentLogAnnotations) } })
      })
    ]),
    Layer.succeed(References.MinimumLogLevel, "Debug")
  )
  return { spans, lines, layer }
}

describe("metrics", () => {
  it.effect("count bytes, parts, retries and how uploads end", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.answer({ operation: "uploadPart", partNumber: 2, status: 503, code: "SlowDown" }),
        Fault.drop({ operation: "uploadPart", partNumber: 3, at: "before", times: 2 })
      )
      yield* inTime(Upload.upload(requestFor(fiveParts)))
      yield* Upload.upload(requestFor(fiveParts, { skipIdentical: true }))
      yield* Upload.upload(requestFor(contentOf(10), { key: "small" }))
      yield* Effect.flip(Upload.upload(requestFor(contentOf(10), { key: "/" })))
      assert.deepStrictEqual(yield* counted, {
        [`oss.upload.bytes ${bucket}`]: fiveParts.length + 10,
        [`oss.upload.parts ${bucket}`]: 6,
        [`oss.upload.in_flight ${bucket}`]: 0,
        [`oss.upload.part.duration ${bucket}`]: 6,
        [`oss.upload.retries Throttled ${bucket} uploadPart`]: 1,
        [`oss.upload.retries Transport ${bucket} uploadPart`]: 2,
        [`oss.upload.uploads completed ${bucket}`]: 2,
        [`oss.upload.uploads skipped ${bucket}`]: 1,
        [`oss.upload.uploads failed ${bucket}`]: 1
      })
    }).pipe(Effect.provide(world), fresh)
  )

  it.effect("count what is under way, and how long parts take", () =>
    Effect.gen(function* () {
      yield* inject(Fault.delay({ operation: "uploadPart", millis: 3_000, times: Infinity }))
      const inFlight = Metric.withAttributes(Metrics.inFlight, { "oss.bucket": bucket })
      const fiber = yield* Effect.forkChild(
        Upload.upload(requestFor(fiveParts, { concurrency: 2 }))
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Metric.value(inFlight)).value, 2)
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* Metric.value(inFlight)).value, 0)
      const duration = Metric.withAttributes(Metrics.partDuration, { "oss.bucket": bucket })
      const { count, sum } = yield* Metric.value(duration)
      assert.deepStrictEqual([count, sum], [2, 6])
      assert.deepInclude(yield* counted, { [`oss.upload.uploads interrupted ${bucket}`]: 1 })
    }).pipe(Effect.provide(world), fresh)
  )

  it.effect("do not count again what an earlier run had sent", () =>
    Effect.gen(function* () {
      yield* inject(Fault.stall({ operation: "uploadPart", partNumber: 4, at: "before" }))
      const request = requestFor(fiveParts, { concurrency: 1 })
      const fiber = yield* Effect.forkChild(Upload.upload(request))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      yield* Upload.upload(request)
      assert.deepInclude(yield* counted, { [`oss.upload.bytes ${bucket}`]: fiveParts.length })
    }).pipe(Effect.provide(world), fresh)
  )
})

describe("logs", () => {
  it.effect("tell at level Debug what happens, with bucket, key and upload id", () =>
    Effect.gen(function* () {
      const { layer, lines } = collecting()
      yield* inject(Fault.drop({ operation: "uploadPart", partNumber: 3, at: "before" }))
      yield* Effect.provide(inTime(Upload.upload(requestFor(fiveParts))), layer)
      const emulator = yield* OssEmulator.OssEmulator
      const uploadId = (yield* emulator.log).find(
        ({ uploadId }) => uploadId !== undefined
      )?.uploadId
      const tags = lines.map(({ message }) => (Array.isArray(message) ? message[0] : message))
      assert.includeMembers(tags, [
        "Started",
        "Retrying",
        "PartUploaded",
        "Completing",
        "Completed"
      ])
      assert.notInclude(tags, "Progress")
      for (const [index, { annotations }] of lines.entries()) {
        assert.deepInclude(annotations, { "oss.bucket": bucket, "oss.key": key })
        for (const name of Object.keys(annotations))
          assert.strictEqual(documented.get(name), "string")
        if (tags[index] === "PartUploaded" || tags[index] === "Retrying") {
          assert.strictEqual(annotations["oss.upload_id"], uploadId)
        }
      }
    }).pipe(Effect.provide(world))
  )

  it.effect("tell at level Info why an upload waits, every ten seconds", () =>
    Effect.gen(function* () {
      const { layer, lines } = collecting()
      yield* inject(Fault.drop({ at: "before", times: Infinity }))
      const fiber = yield* Upload.upload(
        requestFor(fiveParts, { retry: RetryPolicy.patient() })
      ).pipe(
        Effect.provideService(References.MinimumLogLevel, "Info"),
        Effect.provide(layer),
        Effect.forkChild
      )
      yield* TestClock.adjust("45 seconds")
      yield* Fiber.interrupt(fiber)
      assert.isAtLeast(lines.length, 2)
      assert.isAtMost(lines.length, 4)
      for (const { message } of lines) {
        assert.match(
          String(message),
          /^waiting, nothing has succeeded for [1-4]\d s: the connection/
        )
      }
    }).pipe(Effect.provide(world))
  )

  it.effect("are silent at level Info", () =>
    Effect.gen(function* () {
      const { layer, lines } = collecting()
      yield* Upload.upload(requestFor(fiveParts)).pipe(
        Effect.provideService(References.MinimumLogLevel, "Info"),
        Effect.provide(layer)
      )
      assert.deepStrictEqual(lines, [])
    }).pipe(Effect.provide(world))
  )
})

describe("spans", () => {
  const real = Layer.unwrap(
    Effect.map(OssEmulator.OssEmulator, ({ url }) =>
      OssClient.layer({
        bucket,
        endpoint: url,
        pathStyle: true,
        credentials: fixedKeys
      })
    )
  ).pipe(
    Layer.provide(NodeHttpClient.layerNodeHttp),
    Layer.provideMerge(OssEmulator.layer()),
    Layer.merge(CheckpointStore.layerMemory)
  )

  const ancestry = (span: Tracer.AnySpan): ReadonlyArray<string> => {
    if (span._tag === "ExternalSpan") return []
    const above = "parent" in span && span.parent._tag === "Some" ? ancestry(span.parent.value) : []
    return [...above, span.name]
  }

  it.live("are one for the upload, in it one for each part, and in those the requests", () =>
    Effect.gen(function* () {
      const { spans, layer } = collecting()
      yield* inject(
        Fault.answer({ operation: "uploadPart", partNumber: 2, status: 500, code: "InternalError" })
      )
      const retry: RetryPolicy.RetryPolicy = Schedule.recurs(3)
      const request = requestFor(fiveParts, { retry, concurrency: 2 })
      const { size } = yield* Effect.provide(Upload.upload(request), layer)
      const of = (name: string) => spans.filter((span) => span.name === name)
      const attributes = (span: Tracer.NativeSpan | undefined) =>
        Object.fromEntries(span?.attributes ?? [])

      const [upload, ...more] = of("Upload.upload")
      assert.deepStrictEqual(more, [])
      const { "oss.upload_id": uploadId } = attributes(upload)
      assert.isString(uploadId)
      assert.deepInclude(attributes(upload), {
        "oss.bucket": bucket,
        "oss.key": key,
        "oss.size": size,
        "oss.resumed_bytes": 0
      })

      assert.deepStrictEqual(
        of("Upload.part").map((span) => attributes(span)["oss.part_number"]),
        [1, 2, 3, 4, 5]
      )
      const sent = of("OssClient.uploadPart")
      assert.strictEqual(sent.length, 6)
      const failed = sent.filter((span) => attributes(span)["http.response.status_code"] === 500)
      assert.strictEqual(failed.length, 1)
      for (const span of sent) {
        assert.deepStrictEqual(ancestry(span), [
          "Upload.upload",
          "Upload.part",
          "OssClient.uploadPart"
        ])
        assert.match(String(attributes(span)["oss.request_id"]), /^[0-9A-F]+$/)
        assert.strictEqual(attributes(span)["oss.operation"], "uploadPart")
      }
      const http = spans.filter((span) => attributes(span)["http.request.method"] === "PUT")
      assert.strictEqual(http.length, 6)
      for (const span of http) {
        assert.strictEqual(ancestry(span).at(-1), "OssClient.uploadPart")
        assert.isNumber(attributes(span)["http.response.status_code"])
      }
      for (const span of spans) {
        for (const [name, value] of span.attributes) {
          if (name.startsWith("oss.")) assert.strictEqual(typeof value, documented.get(name), name)
        }
      }
      const complete = of("OssClient.complete")[0]
      assert.deepStrictEqual(complete && ancestry(complete).slice(0, 2), [
        "Upload.upload",
        "Upload.complete"
      ])
    }).pipe(Effect.provide(real))
  )
})
