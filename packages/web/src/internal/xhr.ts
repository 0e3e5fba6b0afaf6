/**
 * One request with a body over XMLHttpRequest. `fetch` reports no upload
 * progress, and takes no stream over HTTP/1.1.
 *
 * The body is read piece by piece into a Blob. The browser keeps the Blob
 * outside of the JavaScript heap and sends it with a Content-Length. Bytes
 * count as sent only once the browser reports that they have left.
 */
import type * as Body from "@effect-oss/core/Body"
import * as Bodies from "@effect-oss/core/internal/body"
import { acquire } from "@effect-oss/crc64"
import * as Effect from "effect/Effect"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"

/** In bytes: the share of a body that the JavaScript heap holds at once. */
const pieceSize = 1024 * 1024

/** True if this module sends the request: it has a `Body`. */
export const takes = ({ body }: HttpClientRequest): boolean => Option.isSome(Bodies.behind(body))

/** Sends the request. An interruption stops it. */
export const execute = Effect.fnUntraced(function* (
  request: HttpClientRequest,
  url: URL
): Effect.fn.Return<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> {
  const body = Option.getOrThrow(Bodies.behind(request.body))
  const left = body.left ?? (() => {})
  left(0)
  const blob = yield* Effect.mapError(
    gather(body),
    (cause) =>
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.EncodeError({ request, cause })
      })
  )
  return yield* send(request, url, blob, left)
})

/** Copies each piece into the Blob at once, so that one block is enough for all pieces. */
const gather = <E>({ size, read }: Body.Body<E>): Effect.Effect<Blob, E> =>
  Effect.acquireUseRelease(
    Effect.sync(() => acquire(Math.min(pieceSize, size))),
    Effect.fnUntraced(function* ({ bytes }) {
      const pieces: Array<Blob> = []
      for (let offset = 0; offset < size;) {
        const piece = bytes.subarray(0, Math.min(pieceSize, size - offset))
        yield* read(piece, offset)
        pieces.push(new Blob([piece]))
        offset += piece.length
      }
      return new Blob(pieces)
    }),
    ({ release }) => Effect.sync(release)
  )

const send = (
  request: HttpClientRequest,
  url: URL,
  blob: Blob,
  left: (bytes: number) => void
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> =>
  Effect.callback((resume) => {
    const xhr = new XMLHttpRequest()
    xhr.responseType = "arraybuffer"
    xhr.upload.addEventListener("progress", ({ loaded }) => left(Math.min(loaded, blob.size)))
    xhr.addEventListener("load", () => {
      left(blob.size)
      resume(Effect.succeed(HttpClientResponse.fromWeb(request, responseOf(xhr))))
    })
    xhr.addEventListener("error", () => resume(Effect.fail(broken(request, noReason))))
    // The browser reports a lost connection only after minutes of silence.
    const onOffline = () => {
      xhr.abort()
      resume(Effect.fail(broken(request, "the browser went offline")))
    }
    globalThis.addEventListener("offline", onOffline)
    xhr.addEventListener("loadend", () => globalThis.removeEventListener("offline", onOffline))
    xhr.open(request.method, url)
    for (const [name, value] of Object.entries(request.headers)) {
      if (!ownHeaders.has(name)) xhr.setRequestHeader(name, value)
    }
    xhr.send(blob)
    return Effect.sync(() => xhr.abort())
  })

/** The browser sets these headers itself, and logs an error if a script does. */
const ownHeaders: ReadonlySet<string> = new Set(["content-length", "host", "connection"])

const broken = (request: HttpClientRequest, message: string) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({
      request,
      cause: new DOMException(message, "NetworkError")
    })
  })

/** Browsers don't tell a script why there is no response. */
const noReason =
  "the browser says no more: the connection broke, or the bucket's CORS rule doesn't allow this request"

const responseOf = (xhr: XMLHttpRequest): Response =>
  new Response(withoutBody.has(xhr.status) ? null : (xhr.response as ArrayBuffer), {
    status: xhr.status,
    statusText: xhr.statusText,
    headers: headersOf(xhr.getAllResponseHeaders())
  })

const withoutBody: ReadonlySet<number> = new Set([204, 205, 304])

/** Parses lines of `name: value`. They contain only headers that a script may see. */
const headersOf = (lines: string): Array<[string, string]> =>
  lines
    .split("\r\n")
    .filter((line) => line.includes(":"))
    .map((line) => {
      const colon = line.indexOf(":")
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    })
