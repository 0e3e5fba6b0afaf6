/**
 * An `HttpClient` of Effect for uploads from a page. It sends the bodies of
 * uploads over XMLHttpRequest, so that progress counts the bytes that have left
 * the browser. It sends all other requests over `fetch`. It reads a part piece
 * by piece into a Blob, so that the JavaScript heap never holds a whole part.
 *
 * It also detects that the bucket's CORS rule is missing or hides a response
 * header. Browsers don't report this to a page.
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
 * Options of `layer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** For endpoints that compute no CRC64. True: an answer without a CRC64 is a success, and the upload ends with `verified: false`. Default: false. */
  readonly allowUnverified?: boolean | undefined
}

/**
 * The `HttpClient` for `OssClient.layerWebCrypto` and `OssClient.layerPresigned`
 * in a page.
 *
 * **Details**
 *
 * If the bucket's CORS rule is missing, or hides `ETag`, `x-oss-request-id` or
 * `x-oss-hash-crc64ecma`, the first request that needs it fails with reason
 * `Misconnected`. The message names the rule to set.
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
  /** Servers that have answered: a later failure there is a network failure. */
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
