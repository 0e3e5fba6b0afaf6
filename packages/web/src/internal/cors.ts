/**
 * The CORS rule that a bucket needs, and the detection of a missing one. A
 * script sees only that there is no response, or that a header is missing. This
 * module turns that into an error that names the rule.
 */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"

/** The response headers that a page must be able to read. */
export const exposed = ["ETag", "x-oss-request-id", "x-oss-hash-crc64ecma"] as const

/** True if this request is signed for OSS. Other requests go elsewhere and are not checked. */
export const isForOss = ({ headers, url }: HttpClientRequest): boolean =>
  headers["x-oss-date"] !== undefined || /[?&](x-oss-signature|Signature)=/.test(url)

/** Returns the response, or an error that names the hidden header. */
export const checkHidden = (
  request: HttpClientRequest,
  url: URL,
  response: HttpClientResponse,
  allowUnverified: boolean
): Effect.Effect<HttpClientResponse, HttpClientError.HttpClientError> => {
  if (url.origin === globalThis.location?.origin) return Effect.succeed(response)
  const hidden = expected(request, response.status, allowUnverified).find(
    (name) => response.headers[name.toLowerCase()] === undefined
  )
  return hidden === undefined
    ? Effect.succeed(response)
    : Effect.fail(misconnected(request, `the page may not read the response header ${hidden}`))
}

/** The headers that an upload needs. OSS sends an ETag and a CRC64 for stored bytes. */
const expected = ({ method }: HttpClientRequest, status: number, allowUnverified: boolean) =>
  exposed.filter((name) => {
    if (name === "x-oss-request-id") return true
    return method === "PUT" && status === 200 && (name === "ETag" || !allowUnverified)
  })

/**
 * Finds the error of the first request to a server. If the server answers, but
 * not to this page, its CORS rule is missing.
 */
export const diagnose = (
  request: HttpClientRequest,
  url: URL,
  error: HttpClientError.HttpClientError,
  probe: (url: URL, mode: "cors" | "no-cors") => Effect.Effect<boolean>
): Effect.Effect<never, HttpClientError.HttpClientError> =>
  Effect.gen(function* () {
    const root = new URL("/", url)
    const isForbidden =
      error.reason._tag === "TransportError" &&
      !(yield* probe(root, "cors")) &&
      (yield* probe(root, "no-cors"))
    return yield* isForbidden
      ? misconnected(request, "the server answers, but not to this page")
      : error
  })

/** Core takes `remedy` from the cause, because such an error is permanent. */
class CorsError extends Error {
  override readonly name = "CORS"
  readonly remedy = `set a CORS rule on the bucket with origin ${globalThis.location?.origin ?? "*"}, methods GET, HEAD, PUT, POST and DELETE, all headers (*), and exposed headers ${exposed.join(", ")}`
}

const misconnected = (request: HttpClientRequest, description: string) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({ request, cause: new CorsError(description) })
  })

/** True if a script gets any response from there. */
export const probing =
  (client: HttpClient.HttpClient) =>
  (url: URL, mode: "cors" | "no-cors"): Effect.Effect<boolean> =>
    client
      .get(url)
      .pipe(
        Effect.provideService(FetchHttpClient.RequestInit, { mode }),
        Effect.match({ onSuccess: () => true, onFailure: () => false })
      )
