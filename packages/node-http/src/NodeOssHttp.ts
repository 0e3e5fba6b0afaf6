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
export interface Options extends NodeHttpClient.HttpAgentOptions {
  /**
   * The proxy that requests go through, as a URL with `http` or `https` and a
   * user and password if need be; false: none. Default: what the environment
   * says in `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in lower or
   * upper case. Requests to `localhost` and loopback addresses go through no
   * proxy of the environment's. Node uses proxies since 22.21 and 24.5.
   */
  readonly proxy?: string | false | undefined
}

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
    Effect.map(Agents.make(options), (routeTo) =>
      HttpClient.layerMergedContext(Effect.succeed(make(routeTo)))
    )
  )

/** A `Body` goes straight to its exchange: Effect's client would add what only other requests need. */
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
      // Effect's client says what is wrong with a URL.
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
