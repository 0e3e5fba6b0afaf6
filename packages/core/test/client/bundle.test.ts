/** What a page loads: neither ali-oss nor anything of Node, and no more than it may weigh. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Metafile } from "esbuild"
import { builtinModules } from "node:module"
import { resolve } from "node:path"
import { gzipSync } from "node:zlib"
import { inputsOf, pageOf } from "../support/page.ts"

/** Gzipped, Effect included, in bytes. */
const limit = 70_000

const bundleOf = (layer: string, entry: string) =>
  pageOf(
    `import ${entry}
      import { FetchHttpClient } from "effect/http"
      import * as Effect from "effect/Effect"
      import * as Redacted from "effect/Redacted"
      export const redacted = Redacted.make
      export const head = (options, key) =>
        Effect.runPromise(
          OssClient.OssClient.use((client) => client.head(key)).pipe(
            Effect.provide(OssClient.${layer}(options)),
            Effect.provide(FetchHttpClient.layer)
          )
        )`,
    resolve(import.meta.dirname, "..")
  )

const node = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)])

const nodeModulesOf = ({ metafile }: { readonly metafile: Metafile }) =>
  Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.map(({ path }) => path).filter((path) => node.has(path))
  )

const own = '* as OssClient from "@effect-oss/core/OssClient"'
const barrel = '{ OssClient } from "@effect-oss/core"'

describe.each(["layerPresigned", "layerWebCrypto"])("a page with %s", (layer) => {
  it.effect.each([
    ["from its module", own],
    ["from the whole package", barrel]
  ])("loads neither ali-oss nor anything of Node, and less than 70 KB: %s", ([, entry = ""]) =>
    Effect.gen(function* () {
      const bundle = yield* bundleOf(layer, entry)
      assert.deepStrictEqual(inputsOf(bundle).filter(isForNode), [])
      assert.deepStrictEqual(nodeModulesOf(bundle), [])
      const size = gzipSync(bundle.outputFiles[0]!.contents, { level: 9 }).length
      assert.isBelow(size, limit)
    })
  )
})

/** What is left out leaves an empty module. */
const isForNode = (path: string) =>
  /node_modules\/ali-oss|platform-node/.test(path) && !path.startsWith("(disabled)")

it.effect("signing with version 4 needs no ali-oss", () =>
  Effect.gen(function* () {
    const error = yield* refusedHead({ endpoint: "http://127.0.0.1:65535" })
    assert.include(error, "ECONNREFUSED")
  })
)

it.effect("a page that signs with version 1 is told what to use", () =>
  Effect.gen(function* () {
    const error = yield* refusedHead({ signature: "v1" })
    assert.include(error, "sign with version 4")
  })
)

/** The failure of a request by what a page loads, where ali-oss is left out. */
const refusedHead = (options: object) =>
  Effect.gen(function* () {
    const bundle = yield* bundleOf("layer", own)
    const source = Buffer.from(bundle.outputFiles[0]!.contents).toString("base64")
    const { head, redacted } = yield* Effect.promise(
      () => import(`data:text/javascript;base64,${source}`)
    )
    const credentials = { accessKeyId: "id", accessKeySecret: redacted("secret") }
    return yield* Effect.flip(
      Effect.tryPromise({
        try: () => head({ bucket: "bucket", region: "cn-beijing", credentials, ...options }, "k"),
        catch: String
      })
    )
  })
