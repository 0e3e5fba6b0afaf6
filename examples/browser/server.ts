/** The page, the server that signs for it, and an OSS of its own: `pnpm demo:browser`. */
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { OssClient } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import AliOss from "ali-oss"
import { Console, Context, Effect, Layer } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { build } from "esbuild"
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import { resolve } from "node:path"

const bucket = "photos"
const keys = { accessKeyId: "demo", accessKeySecret: "demo-secret" }

const emulator = OssEmulator.layer({
  credentials: [keys],
  buckets: [bucket],
  cors: [{ allowedOrigins: ["http://127.0.0.1*", "http://localhost*"] }]
})

/** A page may upload below `inbox/`, carry on and give up; a real server would ask first who this is. */
const allowed = new Set(["initiate", "uploadPart", "complete", "put", "listParts", "head", "abort"])

const sign = Effect.gen(function* () {
  const { url: endpoint } = yield* OssEmulator.OssEmulator
  const request = yield* HttpServerRequest.schemaBodyJson(OssClient.PresignRequest)
  const { operation, key = "", query, headers } = request
  if (!allowed.has(operation) || !key.startsWith("inbox/")) {
    return HttpServerResponse.empty({ status: 403 })
  }
  const options = { bucket, endpoint, sldEnable: true, ...keys }
  const signer = new AliOss(options)
  const method = request.method as AliOss.HTTPMethods
  const url = signer.signatureUrlV4(method, 300, { headers, queries: query }, key)
  return HttpServerResponse.text(yield* Effect.promise(() => url))
})

const place = Effect.map(OssEmulator.OssEmulator, ({ url }) =>
  HttpServerResponse.jsonUnsafe({ endpoint: url, bucket })
)

const script = Effect.promise(() =>
  build({
    entryPoints: [resolve(import.meta.dirname, "page.ts")],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent"
  })
)

const file = (name: string, contentType: string) =>
  Effect.map(
    Effect.promise(() => readFile(resolve(import.meta.dirname, name), "utf8")),
    (text) => HttpServerResponse.text(text, { contentType })
  )

const routes = Layer.unwrap(
  Effect.map(script, ({ outputFiles }) =>
    Layer.mergeAll(
      HttpRouter.add("GET", "/", file("index.html", "text/html; charset=utf-8")),
      HttpRouter.add("GET", "/style.css", file("style.css", "text/css; charset=utf-8")),
      HttpRouter.add(
        "GET",
        "/page.js",
        Effect.succeed(
          HttpServerResponse.text(outputFiles[0]?.text ?? "", {
            contentType: "text/javascript; charset=utf-8"
          })
        )
      ),
      HttpRouter.add("GET", "/place", place),
      HttpRouter.add("POST", "/sign", sign)
    )
  )
)

/** Where the page is. */
export class Demo extends Context.Service<Demo, { readonly url: string }>()("examples/Demo") {}

/** The page at this port, or any free one, over an emulator that tests may look into. */
export const layer = (port = 0) =>
  Layer.effect(
    Demo,
    HttpServer.addressFormattedWith((url) => Effect.succeed({ url }))
  ).pipe(
    Layer.provideMerge(HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true })),
    Layer.provide(NodeHttpServer.layer(() => createServer(), { port, host: "127.0.0.1" })),
    Layer.provideMerge(emulator)
  )

if (import.meta.main) {
  const port = Number(process.env["PORT"] ?? 0)
  Demo.use(({ url }) => Console.log(`Upload files at ${url}`)).pipe(
    Effect.andThen(Effect.never),
    Effect.provide(layer(port)),
    NodeRuntime.runMain
  )
}
