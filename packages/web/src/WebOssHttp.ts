/**
 * Effect's `HttpClient` as uploads need it in a browser. Requests with an
 * upload's body go over XMLHttpRequest, so that progress is that of the bytes
 * that have left; all others go over `fetch`. A part is read piece by piece
 * into a Blob: the JavaScript heap holds a piece of it, not the part.
 *
 * It also says what a page is not told otherwise: that the bucket's CORS rule
 * is missing, or hides a response header.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Cors from "./internal/cors.ts"
import * as Xhr from "./internal/xhr.ts"

/**
 * How requests are made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** True: an answer without a CRC64 is taken, and the upload ends with `verified: false`; for endpoints that answer none. Default: false. */
  readonly allowUnverified?: boolean | undefined
}

/**
 * An `HttpClient` for `OssClient.layerWebCrypto` and `OssClient.layerPresigned`.
 *
 * **Details**
 *
 * A CORS rule that is missing, or hides `ETag`, `x-oss-request-id` or
 * `x-oss-hash-crc64ecma`, fails the first request that meets it with reason
 * `Misconnected`, which names the rule to set.
 *
 * **Example** (a page whose requests a server signs)
 *
 * ```ts
 * import { OssClient, Source, Upload } from "@effect-oss/core"
 * import { IndexedDbCheckpointStore, WebOssHttp } from "@effect-oss/web"
 * import { Effect, Layer } from "effect"
 * import { HttpClient, HttpClientRequest } from "effect/http"
 *
 * const client = OssClient.layerPresigned({
 *   bucket: "photos",
 *   region: "cn-hangzhou",
 *   sign: (request) =>
 *     HttpClientRequest.post(new URL("/sign", location.href)).pipe(
 *       HttpClientRequest.bodyJsonUnsafe(request),
 *       HttpClient.execute,
 *       Effect.flatMap(({ text }) => text)
 *     )
 * })
 * const uploads = Layer.mergeAll(client, IndexedDbCheckpointStore.layer()).pipe(
 *   Layer.provideMerge(WebOssHttp.layer())
 * )
 *
 * const upload = (file: File) =>
 *   Upload.upload({ key: `inbox/${file.name}`, source: Source.blob(file) }).pipe(
 *     Effect.provide(uploads)
 *   )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<HttpClient.HttpClient> =>
  Layer.provide(HttpClient.layerMergedContext(make(options)), FetchHttpClient.layer)

const make = Effect.fnUntraced(function* ({ allowUnverified = false }: Options) {
  const fetched = yield* HttpClient.HttpClient
  const sent = HttpClient.make((request, url) => Xhr.execute(request, url))
  const probe = Cors.probing(fetched)
  /** Servers that have answered: a failure there is the network's. */
  const known = new Set<string>()

  const checked = (request: HttpClientRequest) => {
    const exchange = (Xhr.takes(request) ? sent : fetched).execute(request)
    if (!Cors.isForOss(request)) return exchange
    const url = new URL(request.url, globalThis.location?.href)
    return exchange.pipe(
      Effect.catch((error) =>
        known.has(url.origin) ? Effect.fail(error) : Cors.diagnose(request, url, error, probe)
      ),
      Effect.flatMap((response) => {
        known.add(url.origin)
        return Cors.checkHidden(request, url, response, allowUnverified)
      })
    )
  }

  return HttpClient.makeWith<HttpClientError, never, HttpClientError, never>(
    Effect.flatMap(checked),
    Effect.succeed
  )
})
