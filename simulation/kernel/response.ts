/** Answers of the simulated OSS as the HTTP client of a process gets them. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Answer } from "./httpAnswer.ts"

/** What an HTTP engine says of a connection that was closed. */
export class Reset extends Data.Error<{ readonly message: string; readonly code: string }> {
  override readonly name = "Error"
}

export const reset = new Reset({ message: "the connection was closed", code: "ECONNRESET" })

/** An answer that begins to arrive. */
export class SimulatedResponse
  extends Inspectable.Class
  implements HttpClientResponse.HttpClientResponse
{
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId =
    HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly remoteAddress = Option.none<string>()
  readonly cookies = Cookies.empty
  readonly request: HttpClientRequest
  readonly url: string
  readonly headers: Headers.Headers
  readonly status: number
  readonly stream: Stream.Stream<Uint8Array, HttpClientError.HttpClientError>

  constructor(given: {
    readonly request: HttpClientRequest
    readonly url: string
    readonly answer: Answer
    /** The time until a piece arrives. */
    readonly wait: Effect.Effect<void>
    /** Called with the bytes of the body that have been read so far. */
    readonly onTaken: (bytes: number) => void
  }) {
    super()
    const { request, url, answer, wait, onTaken } = given
    this.request = request
    this.url = url
    this.status = answer.status
    this.headers = Headers.fromInput(answer.headers)
    this.stream = Stream.suspend(() => {
      let taken = 0
      const arriving = Stream.fromIterable(answer.body()).pipe(
        Stream.rechunk(1),
        Stream.mapEffect((piece) =>
          Effect.map(wait, () => {
            taken += piece.length
            onTaken(taken)
            return piece
          })
        )
      )
      const end = Effect.suspend(() => {
        const told = Number(answer.headers["content-length"] ?? taken)
        const isShort = request.method !== "HEAD" && taken < told
        return answer.isCut || isShort ? Effect.fail(this.#broken()) : Effect.void
      })
      return Stream.concat(arriving, Stream.fromEffectDrain(end))
    })
  }

  #broken(): HttpClientError.HttpClientError {
    const { request } = this
    return new HttpClientError.HttpClientError({
      reason: new HttpClientError.DecodeError({ request, response: this, cause: reset })
    })
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.HttpClientError> {
    return Effect.map(Stream.mkUint8Array(this.stream), (bytes) => new Uint8Array(bytes).buffer)
  }

  get text(): Effect.Effect<string, HttpClientError.HttpClientError> {
    return Effect.map(this.arrayBuffer, (bytes) => new TextDecoder().decode(bytes))
  }

  get json(): Effect.Effect<Schema.Json, HttpClientError.HttpClientError> {
    return Effect.map(this.text, (text): Schema.Json => JSON.parse(text))
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.HttpClientError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<never, HttpClientError.HttpClientError> {
    return Effect.fail(this.#broken())
  }

  get upgrade(): Effect.Effect<never, HttpClientError.HttpClientError> {
    return Effect.fail(this.#broken())
  }

  override toJSON(): unknown {
    const { status } = this
    return HttpIncomingMessage.inspect(this, { _id: "effect/http/HttpClientResponse", status })
  }

  pipe() {
    return pipeArguments(this, arguments)
  }
}
