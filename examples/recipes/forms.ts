/** An HTTP service that streams the files of forms into objects: of any length, within a fixed memory. */
import { OssClient, Upload, UploadDefaults } from "@effect-oss/core"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Semaphore, Stream } from "effect"
import {
  HttpRouter,
  HttpServer,
  HttpServerRequest,
  HttpServerResponse,
  Multipart
} from "effect/http"
import { randomUUID } from "node:crypto"
import { createServer } from "node:http"

const MiB = 1024 * 1024
const forms = 16
const partSize = 4 * MiB
const port = Number(process.env["PORT"] ?? 8080)

/** A part of each form at least, and as much again for the parts on their way. */
const defaults = UploadDefaults.layer({ memory: 2 * forms * partSize, concurrency: 2 })

/** The key is the service's own choice: a name that a client sends may be any text. */
const store = (file: Multipart.File) =>
  Stream.run(file.content, Upload.sink({ key: `forms/${randomUUID()}`, partSize })).pipe(
    Effect.map(({ key, size }) => ({ field: file.key, name: file.name, key, size }))
  )

const receive = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const stored = yield* request.multipartStream.pipe(
    Stream.filter(Multipart.isFile),
    Stream.mapEffect(store),
    Stream.runCollect
  )
  return HttpServerResponse.jsonUnsafe(stored)
})

const routes = Layer.unwrap(
  Effect.gen(function* () {
    const free = yield* Semaphore.make(forms)
    return HttpRouter.add("POST", "/forms", free.withPermit(receive))
  })
)

const server = Layer.effectDiscard(HttpServer.addressFormattedWith(Console.log)).pipe(
  Layer.provide(HttpRouter.serve(routes, { disableListenLog: true })),
  Layer.provide(NodeHttpServer.layer(() => createServer({ requestTimeout: 0 }), { port })),
  Layer.provide([OssClient.layerConfig(), defaults]),
  Layer.provide(NodeOssHttp.layer())
)

if (import.meta.main) NodeRuntime.runMain(Layer.launch(server))
