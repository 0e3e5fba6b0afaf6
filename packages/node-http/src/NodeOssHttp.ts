/**
 * Effect's `HttpClient` over node:http and node:https, made for bodies that are
 * large and many. It reads a `Body` of this library's itself, into few buffers
 * that it uses again, and hands the socket the very bytes that were read; so
 * its memory is bounded by the number of requests under way, whatever their
 * size. Connections are kept and used again. Everything that is not such a
 * body's business is as in `NodeHttpClient` of `@effect/platform-node`.
 *
 * @since 0.1.0
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import * as Exchange from "./internal/exchange.ts"
import * as Pump from "./internal/pump.ts"

/**
 * How connections are made: all that Node's HTTPS agent takes, such as `ca`,
 * `cert`, `key` and `rejectUnauthorized`, and `socketPath`.
 *
 * **Details**
 *
 * Unless it says otherwise, connections are kept, closed after four seconds
 * without use, and as many as there are requests under way: whoever makes the
 * requests limits them.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = NodeHttpClient.HttpAgentOptions

/** Servers close idle connections too: the one that does so first is to be this side. In milliseconds. */
const idleTimeout = 4_000

/**
 * The client. Its connections are closed with the layer.
 *
 * **Details**
 *
 * A kept connection that the server closed meanwhile is not an error if that
 * shows before any byte of an answer: the request goes out once more, over a
 * new connection. Only one that may be made twice does, so never a POST.
 *
 * **Example** (a program)
 *
 * ```ts
 * import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
 * import { NodeOssHttp } from "@effect-oss/node-http"
 * import { NodeServices } from "@effect/platform-node"
 * import { Effect } from "effect"
 *
 * const program = Upload.upload({ key: "backups/db.tar", source: Source.file("db.tar") }).pipe(
 *   Effect.provide([OssClient.layerConfig(), CheckpointStore.layerMemory]),
 *   Effect.provide([NodeOssHttp.layer(), NodeServices.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<HttpClient.HttpClient> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const kept = yield* NodeHttpClient.makeAgent({
        keepAlive: true,
        timeout: idleTimeout,
        ...options
      })
      const fresh = yield* NodeHttpClient.makeAgent({ ...options, keepAlive: false })
      return Layer.provide(
        HttpClient.layerMergedContext(make({ kept, fresh, pump: Pump.make() })),
        Layer.succeed(NodeHttpClient.HttpAgent, kept)
      )
    })
  )

const make = Effect.fnUntraced(function* (engine: Exchange.Engine) {
  const others = yield* NodeHttpClient.makeNodeHttp
  const own = HttpClient.make((request, url, signal) =>
    Exchange.make(engine, { request, url, signal })
  )
  return HttpClient.makeWith<HttpClientError, never, HttpClientError, never>(
    Effect.flatMap((request) => (Exchange.takes(request) ? own : others).execute(request)),
    Effect.succeed
  )
})
