/**
 * Turns Node's responses into Effect's.
 */
import { NodeHttpIncomingMessage } from "@effect/platform-node/NodeHttpIncomingMessage"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import { pipeArguments } from "effect/Pipeable"
import type { IncomingMessage } from "node:http"

const noBytes = Effect.sync(() => new ArrayBuffer(0))

/** A response whose headers have arrived. */
export class NodeResponse
  extends NodeHttpIncomingMessage<HttpClientError.HttpClientError>
  implements HttpClientResponse.HttpClientResponse
{
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientRequest
  readonly url: string

  constructor(request: HttpClientRequest, source: IncomingMessage, url: URL) {
    super(
      source,
      (cause) =>
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.DecodeError({ request, response: this, cause })
        })
    )
    this.request = request
    this.url = url.href.slice(0, url.href.length - url.hash.length)
  }

  /** Overridden because most responses to uploads are empty: those need no waiting. */
  override get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.HttpClientError> {
    if (this.source.headers["content-length"] !== "0") return super.arrayBuffer
    this.source.resume()
    return noBytes
  }

  get status(): number {
    return this.source.statusCode ?? 0
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(this.source.headers["set-cookie"] ?? [])
  }

  get formData(): Effect.Effect<FormData, HttpClientError.HttpClientError> {
    return Effect.flatMap(this.arrayBuffer, (bytes) =>
      Effect.tryPromise({
        try: () =>
          new Response(bytes, {
            headers: { "content-type": this.headers["content-type"] ?? "" }
          }).formData(),
        catch: this.onError
      })
    )
  }

  /** Not supported: requests for an upgrade take another path. */
  get upgrade(): Effect.Effect<never, HttpClientError.HttpClientError> {
    const { request } = this
    return Effect.fail(
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.StatusCodeError({ request, response: this })
      })
    )
  }

  override toJSON(): unknown {
    const { request, status } = this
    return HttpIncomingMessage.inspect(this, {
      _id: "effect/http/HttpClientResponse",
      request: request.toJSON(),
      status
    })
  }

  pipe() {
    return pipeArguments(this, arguments)
  }
}
