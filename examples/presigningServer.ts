/** A server that has keys, and signs for clients that have none: what they upload lies below `inbox/`. */
import { OssClient } from "@effect-oss/core"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import AliOss from "ali-oss"
import { Console, Effect, Layer } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"

const options = {
  bucket: process.env["OSS_BUCKET"] ?? "",
  endpoint: process.env["OSS_ENDPOINT"] ?? "",
  sldEnable: process.env["OSS_PATH_STYLE"] === "true",
  accessKeyId: process.env["OSS_ACCESS_KEY_ID"] ?? "",
  accessKeySecret: process.env["OSS_ACCESS_KEY_SECRET"] ?? ""
}

/** What an upload needs, and to resume. A real server would ask first who this is. */
const allowed = new Set(["initiate", "uploadPart", "complete", "put", "listParts", "head"])

const sign = Effect.gen(function* () {
  const request = yield* HttpServerRequest.schemaBodyJson(OssClient.PresignRequest)
  const { operation, key = "", query, headers } = request
  if (!allowed.has(operation) || !key.startsWith("inbox/")) {
    return HttpServerResponse.empty({ status: 403 })
  }
  const method = request.method as AliOss.HTTPMethods
  const url = new AliOss(options).signatureUrlV4(method, 300, { headers, queries: query }, key)
  return HttpServerResponse.text(yield* Effect.promise(() => url))
})

const server = Layer.effectDiscard(
  HttpServer.addressFormattedWith((url) => Console.log(`${url}/sign`))
).pipe(
  Layer.provide(HttpRouter.serve(HttpRouter.add("POST", "/sign", sign))),
  Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
)

if (import.meta.main) NodeRuntime.runMain(Layer.launch(server))
