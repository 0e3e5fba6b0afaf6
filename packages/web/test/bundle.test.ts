/** What a page loads that uploads, carries on and finds its files again. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { gzipSync } from "node:zlib"
import { blocks } from "../../../test/support/documents.ts"
import { inputsOf, pageOf } from "../../core/test/support/page.ts"

/** Gzipped, core and Effect included, in bytes. The documents promise less than 100 KB. */
const limit = 99_000

const pageWith = (layer: string) => `
  import * as OssClient from "@effect-oss/core/OssClient"
  import * as Source from "@effect-oss/core/Source"
  import * as Upload from "@effect-oss/core/Upload"
  import { FileHandles, IndexedDbCheckpointStore, Network, WebOssHttp } from "@effect-oss/web"
  import * as Effect from "effect/Effect"
  import * as Layer from "effect/Layer"
  import * as Stream from "effect/Stream"
  export const upload = (options, key, file) =>
    Network.carryOn(Upload.events({ key, source: Source.blob(file) })).pipe(
      Stream.runDrain,
      Effect.provide(Layer.mergeAll(
        OssClient.${layer}(options),
        IndexedDbCheckpointStore.layer(),
        FileHandles.layer()
      ).pipe(Layer.provideMerge(WebOssHttp.layer()))),
      Effect.runPromise
    )
  export const check = FileHandles.check`

it.effect.each(["layerPresigned", "layerWebCrypto"])(
  "a page with core, web and Effect weighs at most 99 KB and has nothing of Node: %s",
  (layer) =>
    Effect.gen(function* () {
      const page = yield* pageOf(pageWith(layer), resolve(import.meta.dirname, ".."))
      const foreign = inputsOf(page).filter((path) =>
        /node_modules\/(ali-oss|mime)\/|platform-node|^node:/.test(path)
      )
      assert.deepStrictEqual(
        foreign.filter((path) => !path.startsWith("(disabled)")),
        []
      )
      const size = gzipSync(page.outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length
      assert.isAtMost(size, limit)
    })
)

it.effect.each(["docs/browser.md", "packages/web/README.md"])(
  "the program of %s weighs less than 100 KB",
  (file) =>
    Effect.gen(function* () {
      const text = readFileSync(resolve(import.meta.dirname, "../../..", file), "utf8")
      const [program] = blocks({ file, text }, "ts")
      const page = yield* pageOf(program?.code ?? "", resolve(import.meta.dirname, ".."))
      const size = gzipSync(page.outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length
      assert.isAbove(size, 50_000)
      assert.isBelow(size, 100_000)
    })
)
