/**
 * Effect's `HttpClient` over node:http and node:https, for many large request
 * bodies. It reads a `Body` of this library into a few reusable buffers, and
 * passes those bytes to the socket without a copy. So its memory depends on the
 * number of requests in flight, not on their size. It reuses connections. All
 * other requests behave as with `NodeHttpClient` of `@effect/platform-node`.
 *
 * @since 0.1.0
 */
import type * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Agents from "./internal/agents.ts"
import * as Exchange from "./internal/exchange.ts"
import * as Pump from "./internal/pump.ts"

/**
 * Connection options: everything that Node's HTTPS agent takes, such as `ca`,
 * `cert`, `key`, `rejectUnauthorized` and `socketPath`.
 *
 * **Details**
 *
 * By default, connections are reused and closed after four idle seconds. Their
 * number is not limited: the caller limits the number of requests in flight.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends NodeHttpClient.HttpAgentOptions {
  /**
   * The proxy, as an `http` or `https` URL, with user and password if it needs
   * them. `false`: no proxy. Default: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`
   * and `NO_PROXY` of the environment, in lower or upper case. Requests to
   * `localhost` and loopback addresses never use a proxy of the environment.
   * Proxies need Node 22.21, 24.5 or later.
   */
  readonly proxy?: string | false | undefined
}

/**
 * The client. Its connections close with the layer.
 *
 * **Details**
 *
 * The server may have closed a reused connection. If the connection breaks
 * before the first byte of a response, the client sends the request once more
 * over a new connection. It does so only for requests that are safe to repeat,
 * so never for a POST.
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
    Effect.map(Agents.make(options), (routeTo) =>
      HttpClient.layerMergedContext(Effect.succeed(make(routeTo)))
    )
  )

/** Sends a `Body` directly: Effect's client would add work that only other requests need. */
const make = (routeTo: Agents.RouteTo): HttpClient.HttpClient => {
  const pump = Pump.make()
  const carry = (request: HttpClientRequest, url: URL, signal?: AbortSignal) =>
    Effect.matchEffect(routeTo(url), {
      onFailure: (cause) => Effect.fail(failed(request)(cause)),
      onSuccess: (route) => Exchange.make(route, pump, { request, url, signal })
    })
  const own = HttpClient.make(carry)
  const throughEffects = (request: HttpClientRequest) =>
    Effect.flatMap(
      // Effect's client reports an invalid URL.
      Effect.mapError(routeTo(urlOf(request)), failed(request)),
      ({ others }) => others.execute(request)
    )
  return HttpClient.makeWith<
    HttpClientError.HttpClientError,
    never,
    HttpClientError.HttpClientError,
    never
  >(
    Effect.flatMap((request) => {
      const url = Exchange.hasBody(request) ? urlOf(request) : undefined
      if (url !== undefined) return carry(request, url)
      return Exchange.takes(request) ? own.execute(request) : throughEffects(request)
    }),
    Effect.succeed
  )
}

const failed = (request: HttpClientRequest) => (cause: Error) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({ request, cause })
  })

const urlOf = ({ url }: HttpClientRequest): URL | undefined => URL.parse(url) ?? undefined
