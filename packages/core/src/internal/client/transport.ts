/**
 * Carries signed requests on Effect's HttpClient. It owns the body while it is
 * on its way: HTTP engines read it on fibers of their own, so that only a gate
 * makes sure that nothing is read any more once a request has ended.
 *
 * @internal
 */
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import type * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import * as Body from "../../Body.ts"
import { Rejected, Transport } from "../../OssError.ts"
import type { Answer, Signed } from "./aliOss.ts"

/** A page of 1,000 parts or uploads has well below one MiB. */
const maxAnswer = ByteSize.mebibytes(16)

/**
 * One request, one answer. Fails with the body's error if that can't be read,
 * whatever the engine makes of it. However it ends, the body is no longer read.
 */
export const carry = Effect.fnUntraced(function* <E, E2>(
  http: HttpClient.HttpClient,
  signed: Signed,
  body: Body.Body<E> | undefined,
  failed: (reason: Transport | Rejected) => E2
): Effect.fn.Return<Answer, E | E2> {
  const unsendable = Object.entries(signed.headers).find(
    ([, value]) => !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)
  )
  if (unsendable !== undefined) {
    return yield* Effect.fail(
      failed(
        new Rejected({
          description: `the header "${unsendable[0]}" has a character that HTTP can't carry`
        })
      )
    )
  }
  const guarded = body && guard(body)
  const exchange = Effect.flatMap(http.execute(requestOf(signed, guarded)), answerOf).pipe(
    withoutSecrets,
    Effect.provideService(HttpIncomingMessage.MaxBodySize, maxAnswer),
    Effect.mapError((error) => failed(reasonOf(error)))
  )
  if (guarded === undefined) return yield* exchange
  const exit = yield* Effect.exit(Effect.ensuring(exchange, guarded.close))
  const failure = guarded.failure()
  return yield* failure === undefined ? exit : Effect.failCause(failure)
})

const answerOf = (response: HttpClientResponse): Effect.Effect<Answer, HttpClientError> =>
  Effect.map(response.arrayBuffer, (body) => ({
    status: response.status,
    headers: { ...response.headers },
    body: new Uint8Array(body)
  }))

/** Built by hand: setting a body would set a Content-Type, which is signed. */
const requestOf = (signed: Signed, body: Body.Body<unknown> | undefined) =>
  HttpClientRequest.makeWith(
    signed.method,
    signed.url,
    UrlParams.empty,
    Option.none(),
    Headers.fromInput(signed.headers),
    bodyOf(signed, body)
  )

const bodyOf = ({ content }: Signed, body: Body.Body<unknown> | undefined): HttpBody.HttpBody => {
  if (body !== undefined && body.size > 0) return Body.toHttpBody(body)
  return content === undefined ? HttpBody.empty : HttpBody.text(content)
}

interface Guarded<E> extends Body.Body<E> {
  /** Returns once nothing is being read; nothing will be. */
  readonly close: Effect.Effect<void>
  /** What went wrong with reading, if anything. */
  readonly failure: () => Cause.Cause<E> | undefined
}

const guard = <E>({ read, size }: Body.Body<E>): Guarded<E> => {
  const gate = Semaphore.makeUnsafe(1)
  let closed = false
  let failure: Cause.Cause<E> | undefined

  const note = (cause: Cause.Cause<E>) =>
    Effect.sync(() => {
      if (!Cause.hasInterruptsOnly(cause)) failure ??= cause
    })

  return {
    size,
    read: (target, offset) =>
      gate.withPermit(
        Effect.suspend(() =>
          closed ? Effect.interrupt : Effect.onError(read(target, offset), note)
        )
      ),
    close: Effect.suspend(() => {
      closed = true
      return gate.withPermit(Effect.void)
    }),
    failure: () => failure
  }
}

/** Whatever shows a request, be it a span, a log or an error, leaves these out. */
const withoutSecrets = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const headers = yield* Headers.CurrentRedactedNames
    const parameters = yield* UrlParams.CurrentRedactedNames
    return yield* self.pipe(
      Effect.provideService(Headers.CurrentRedactedNames, [
        ...headers,
        "authorization",
        "x-oss-security-token"
      ]),
      Effect.provideService(UrlParams.CurrentRedactedNames, [
        ...parameters,
        /^(signature|security-token|ossaccesskeyid|x-oss-(signature|credential|security-token))$/i
      ])
    )
  })

const reasonOf = ({ reason }: HttpClientError): Transport | Rejected => {
  const description = describe("cause" in reason ? reason.cause : undefined)
  switch (reason._tag) {
    case "InvalidUrlError":
      return new Rejected({ description: `not a URL: ${description}` })
    case "DecodeError":
      return new Transport({ description: `the answer broke off: ${description}` })
    default:
      return new Transport({ description })
  }
}

/** Engines wrap what happened: the innermost cause says it. */
const describe = (cause: unknown): string => {
  if (!(cause instanceof Error)) return "no further details"
  if (cause.cause instanceof Error) return describe(cause.cause)
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return cause.errors.map(describe).join("; ")
  }
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : cause.name
  return cause.message.includes(code) ? cause.message : `${code}: ${cause.message}`
}
