/**
 * Sends requests to the server behind a URL: follows redirects, retries, and
 * protects your headers.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { HttpOptions } from "../../Source.ts"
import type { SourceError } from "../../SourceError.ts"
import { notFound, unreadable } from "./errors.ts"
import * as HttpFacts from "./httpFacts.ts"

export interface Remote {
  readonly name: string
  /** Returns the facts of the content, from HEAD. */
  readonly facts: Effect.Effect<HttpFacts.Facts, SourceError>
  /** Fetches a range. The body can be read until the scope closes, which drops the rest. */
  readonly get: (
    headers: Readonly<Record<string, string>>
  ) => Effect.Effect<HttpClientResponse, SourceError, Scope.Scope>
  readonly failed: (error: HttpClientError) => SourceError
}

/** The retries of a failed request: four. */
export const patience = {
  times: 4,
  schedule: Schedule.jittered(Schedule.exponential("200 millis"))
} as const

export const make = (
  client: HttpClient.HttpClient,
  url: string | URL,
  own: HttpOptions["headers"],
  name: string
): Remote => {
  const patient = HttpClient.retryTransient(
    HttpClient.followRedirects(withOwnHeaders(HttpClient.withScope(client), url, own)),
    patience
  )
  const failed = (error: HttpClientError) => unreadable(name, describe(error))
  const ask = (method: "HEAD" | "GET", headers: Readonly<Record<string, string>>) =>
    HttpClientRequest.make(method)(url).pipe(
      HttpClientRequest.setHeaders({ "accept-encoding": "identity", ...headers }),
      patient.execute,
      Effect.mapError(failed)
    )
  return {
    name,
    failed,
    get: (headers) => ask("GET", headers),
    facts: Effect.scoped(
      ask("HEAD", {}).pipe(
        Effect.tap((response) => (isOk(response) ? Effect.void : refused(name, response))),
        Effect.flatMap(({ headers }) => HttpFacts.factsIn(headers)),
        Effect.catchTag("SchemaError", ({ message }) => unreadable(name, message))
      )
    )
  }
}

const isOk = ({ status }: HttpClientResponse) => status >= 200 && status < 300

/** The error of a response with an unexpected status. */
export const refused = (
  source: string,
  { status, request: { method } }: HttpClientResponse
): SourceError => {
  if (status === 404 || status === 410) return notFound(source, status)
  // In a browser, a redirect that is not followed has no status.
  return status === 0 || (status >= 300 && status < 400)
    ? unreadable(source, `${method} is redirected`, "give the URL that it is redirected to")
    : unreadable(source, `${method} is answered with status ${status}`)
}

/**
 * Your headers may contain keys, so only the URL's own server gets them, not a
 * server that it redirects to. `fetch` would send them there, so it must not
 * follow redirects itself.
 */
const withOwnHeaders = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  url: string | URL,
  own: HttpOptions["headers"] = {}
): HttpClient.HttpClient.With<E, R> => {
  if (Object.keys(own).length === 0) return client
  const home = originOf(url)
  return HttpClient.makeWith(
    (request) =>
      client
        .postprocess(
          Effect.map(request, (request) =>
            originOf(request.url) === home
              ? HttpClientRequest.setHeaders(request, { ...own, ...request.headers })
              : request
          )
        )
        .pipe(
          Effect.updateContext((context: Context.Context<R>) =>
            Context.add(context, FetchHttpClient.RequestInit, {
              ...Context.getOrUndefined(context, FetchHttpClient.RequestInit),
              redirect: "manual"
            })
          )
        ),
    client.preprocess
  )
}

const originOf = (url: string | URL) => Result.getOrUndefined(Result.try(() => new URL(url).origin))

/** The message of an error without the URL, which may contain secrets. */
const describe = ({ reason }: HttpClientError): string => {
  const { cause } = reason
  return cause instanceof Error ? `${reason._tag}: ${cause.message}` : reason._tag
}
