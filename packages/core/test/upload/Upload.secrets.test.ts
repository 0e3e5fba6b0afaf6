import { assert, describe, it } from "@effect/vitest"
import { Upload } from "@effect-oss/core"
import { Fault } from "@effect-oss/emulator"
import { FsCheckpointStore } from "@effect-oss/node-fs-store"
import { Effect, FileSystem, Layer, Logger, References, Stream, Tracer } from "effect"
import { fiveParts, inject, requestFor } from "../support/world.ts"
import { permanent, keysOf, httpWorld, quick } from "../support/httpWorld.ts"

const inspect = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner instanceof Map
      ? Object.fromEntries(inner)
      : typeof inner === "bigint"
        ? String(inner)
        : inner
  )

describe("secrets", () => {
  it.live("appear in no event, error, log, span or checkpoint", () => {
    const token = { ...permanent, securityToken: "t0ken-of-the-session" }
    const seen: Array<unknown> = []
    const watching = Layer.mergeAll(
      Layer.succeed(References.MinimumLogLevel, "All"),
      Logger.layer([Logger.make(({ message }) => void seen.push(message))]),
      Layer.succeed(
        Tracer.Tracer,
        Tracer.make({
          span: (options) => {
            const span = new Tracer.NativeSpan(options)
            seen.push({ name: span.name, attributes: span.attributes })
            return span
          }
        })
      )
    )
    return Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      yield* inject(
        Fault.answer({
          operation: "uploadPart",
          partNumber: 2,
          status: 500,
          code: "InternalError"
        }),
        Fault.answer({ operation: "uploadPart", partNumber: 3, status: 403, code: "AccessDenied" })
      )
      const request = requestFor(fiveParts, {
        concurrency: 1,
        retry: quick,
        headers: { "x-oss-meta-k": "v" }
      })
      yield* Upload.events(request).pipe(
        Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
        Effect.tapError((error) => Effect.logError("failed", error)),
        Effect.tapError((error) => Effect.sync(() => seen.push(error, String(error), error.stack))),
        Effect.ignore,
        Effect.provide(FsCheckpointStore.layer({ directory }))
      )
      for (const name of yield* fs.readDirectory(directory, { recursive: true })) {
        seen.push(yield* Effect.orElseSucceed(fs.readFileString(`${directory}/${name}`), () => ""))
      }
      const text = seen
        .map((value) => (typeof value === "string" ? value : inspect(value)))
        .join("\n")
      assert.include(text, "PartUploaded")
      assert.include(text, "effect-oss checkpoint")
      assert.include(text, "Upload.part")
      assert.include(text, "AccessDenied")
      assert.include(text, "Retrying")
      assert.notMatch(text, /Signature=[0-9a-f]/)
      assert.notInclude(text, token.accessKeySecret)
      assert.notInclude(text, token.securityToken)
    }).pipe(
      Effect.provide(Layer.merge(watching, httpWorld({ credentials: keysOf(token) }, [token]))),
      Effect.scoped
    )
  })
})
