/**
 * A source behind a URL: asked once what it is, then fetched in ranges, each of
 * which has to belong to the same version of it.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { HttpOptions, RandomAccess, Sequential, Source } from "../../Source.ts"
import type { SourceError } from "../../SourceError.ts"
import { changed, notFound, unreadable } from "./errors.ts"

/** What is fetched with one request, in bytes: a round trip must not cost more than what it brings. */
const block = 4 * 1024 * 1024

export const make = (
  url: string | URL,
  options: HttpOptions = {}
): Source<never, HttpClient.HttpClient> => {
  const { id, name } = nameOf(url, options)
  return {
    name,
    open: Effect.gen(function* () {
      const remote = remoteOf(yield* HttpClient.HttpClient, url, options.headers, name)
      const facts = yield* remote.facts
      return isStable(facts) ? randomAccess(remote, facts, id) : sequential(remote, facts, id)
    })
  }
}

/** A query may be a signature, and a user has a password: neither may be shown or kept. */
const nameOf = (url: string | URL, { id }: HttpOptions) => {
  const name = Result.match(
    Result.try(() => new URL(url)),
    {
      onFailure: () => "a URL that is none",
      onSuccess: ({ protocol, host, pathname }) => `${protocol}//${host}${pathname}`
    }
  )
  return { name, id: `url:${id ?? name}` }
}

/** What an answer to HEAD tells. */
const Facts = Schema.Struct({
  "content-length": Schema.OptionFromOptionalKey(
    Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))
  ),
  "accept-ranges": Schema.OptionFromOptionalKey(Schema.String),
  "content-encoding": Schema.OptionFromOptionalKey(Schema.String),
  date: Schema.OptionFromOptionalKey(Schema.NonEmptyString),
  etag: Schema.OptionFromOptionalKey(Schema.NonEmptyString),
  "last-modified": Schema.OptionFromOptionalKey(Schema.NonEmptyString)
})
const decodeFacts = Schema.decodeUnknownEffect(Facts)

interface Facts {
  readonly size: Option.Option<number>
  readonly ranges: boolean
  /** For `If-Range`: only a strong ETag promises the same bytes. */
  readonly version: Option.Option<string>
  readonly fingerprint: string
}

interface Stable extends Facts {
  readonly size: Option.Some<number>
  readonly version: Option.Some<string>
}

const isStable = (facts: Facts): facts is Stable =>
  facts.ranges && Option.isSome(facts.size) && Option.isSome(facts.version)

const factsIn = ({ headers }: HttpClientResponse) =>
  Effect.map(decodeFacts(headers), (known): Facts => {
    // The length of what is encoded is not that of what arrives.
    const plain = Option.isNone(known["content-encoding"])
    const size = plain ? known["content-length"] : Option.none()
    const strong = Option.filter(known.etag, (etag) => !etag.startsWith("W/"))
    const version = Option.orElse(strong, () =>
      Option.filter(known["last-modified"], (modified) => isOlder(modified, known.date))
    )
    const parts = [Option.map(size, String), known.etag, known["last-modified"]]
    return {
      size,
      ranges: plain && Option.contains(known["accept-ranges"], "bytes"),
      version,
      fingerprint: parts.map((part) => Option.getOrElse(part, () => "")).join(" ")
    }
  })

/** Times of HTTP are in seconds: within that of the answer the page may change once more. */
const isOlder = (modified: string, date: Option.Option<string>): boolean =>
  Option.match(date, {
    onNone: () => true,
    onSome: (date) =>
      Option.exists(Option.all([timeOf(date), timeOf(modified)]), ([answered, changed]) =>
        DateTime.isGreaterThan(answered, changed)
      )
  })

const timeOf = (text: string) => Result.getSuccess(Headers.parseHttpDate(text))

interface Remote {
  readonly name: string
  readonly facts: Effect.Effect<Facts, SourceError>
  readonly get: (
    headers: Readonly<Record<string, string>>
  ) => Effect.Effect<HttpClientResponse, SourceError>
  readonly failed: (error: HttpClientError) => SourceError
}

const remoteOf = (
  client: HttpClient.HttpClient,
  url: string | URL,
  given: HttpOptions["headers"],
  name: string
): Remote => {
  // Keys are left out where a redirect leads to another server.
  const patient = HttpClient.retryTransient(HttpClient.followRedirects(client), {
    times: 4,
    schedule: Schedule.jittered(Schedule.exponential("200 millis"))
  })
  const failed = (error: HttpClientError) => unreadable(name, describe(error))
  const ask = (method: "HEAD" | "GET", headers: Readonly<Record<string, string>>) =>
    HttpClientRequest.make(method)(url).pipe(
      HttpClientRequest.setHeaders({ ...given, "accept-encoding": "identity", ...headers }),
      patient.execute,
      Effect.mapError(failed),
      Effect.filterOrFail(
        ({ status }) => status < 300,
        ({ status }) => refused(name, `${method} is answered with status ${status}`, status)
      )
    )
  return {
    name,
    failed,
    get: (headers) => ask("GET", headers),
    facts: Effect.flatMap(ask("HEAD", {}), (response) =>
      Effect.mapError(factsIn(response), ({ message }) => unreadable(name, message))
    )
  }
}

const randomAccess = (
  remote: Remote,
  { size, version, fingerprint }: Stable,
  id: string
): RandomAccess => ({
  _tag: "RandomAccess",
  id,
  size: size.value,
  fingerprint,
  currentFingerprint: Effect.map(remote.facts, (facts) => facts.fingerprint),
  block,
  read: (target, offset) => {
    const range = `${offset}-${offset + target.length - 1}`
    const whole = `bytes ${range}/${size.value}`
    return remote.get({ range: `bytes=${range}`, "if-range": version.value }).pipe(
      Effect.filterOrFail(
        ({ status, headers }) => status === 206 && headers["content-range"] === whole,
        () => changed(remote.name, "the server has another version of it")
      ),
      Effect.flatMap((response) => Effect.mapError(response.arrayBuffer, remote.failed)),
      Effect.filterOrFail(
        ({ byteLength }) => byteLength === target.length,
        () => unreadable(remote.name, "the server's answer is not as long as it says")
      ),
      Effect.map((bytes) => target.set(new Uint8Array(bytes)))
    )
  }
})

const sequential = (remote: Remote, { size, fingerprint }: Facts, id: string): Sequential => ({
  _tag: "Sequential",
  id,
  size: Option.getOrNull(size),
  fingerprint,
  bytes: Stream.unwrap(
    Effect.map(remote.get({}), ({ stream }) => Stream.mapError(stream, remote.failed))
  )
})

const refused = (source: string, description: string, status: number) =>
  status === 404 || status === 410 ? notFound(source) : unreadable(source, description)

/** The error's own message names the whole URL. */
const describe = ({ reason }: HttpClientError): string => {
  const { cause } = reason
  return cause instanceof Error ? `${reason._tag}: ${cause.message}` : reason._tag
}
