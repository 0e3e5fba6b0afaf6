/**
 * A source behind a URL. It asks for the facts with HEAD, and then fetches
 * ranges. Several servers with different versions may stand behind one address,
 * and not every server supports `If-Range`. So each response must show that it
 * is the requested range of the known version.
 */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { HttpOptions, RandomAccess, Sequential, Source } from "../../Source.ts"
import type { SourceError } from "../../SourceError.ts"
import { changed, unreadable } from "./errors.ts"
import * as HttpFacts from "./httpFacts.ts"
import * as HttpRemote from "./httpRemote.ts"

/**
 * The size of the range that one request fetches, in bytes. It is large enough
 * that a round trip costs less than the transfer.
 */
const block = 4 * 1024 * 1024

export const make = (
  url: string | URL,
  options: HttpOptions = {}
): Source<never, HttpClient.HttpClient> => {
  const { id, name } = nameOf(url, options)
  return {
    name,
    open: Effect.gen(function* () {
      const remote = HttpRemote.make(yield* HttpClient.HttpClient, url, options.headers, name)
      const facts = yield* remote.facts
      return HttpFacts.isStable(facts)
        ? randomAccess(remote, facts, id)
        : sequential(remote, facts, id)
    })
  }
}

/** Removes the query, the user and the password from a URL: they may be secret. */
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

const randomAccess = (
  remote: HttpRemote.Remote,
  facts: HttpFacts.Stable,
  id: string
): RandomAccess => ({
  _tag: "RandomAccess",
  id,
  size: facts.size.value,
  fingerprint: HttpFacts.fingerprintOf(facts),
  currentFingerprint: Effect.map(remote.facts, HttpFacts.fingerprintOf),
  block,
  read: (target, offset) =>
    fetchRange(remote, facts, target, offset).pipe(
      // A failed request has been retried already; here a body failed.
      Effect.retry({ ...HttpRemote.patience, while: (error) => error._tag === "HttpClientError" }),
      Effect.catchTag("HttpClientError", (error) => Effect.fail(remote.failed(error)))
    )
})

const fetchRange = Effect.fnUntraced(function* (
  remote: HttpRemote.Remote,
  facts: HttpFacts.Stable,
  target: Uint8Array,
  offset: number
) {
  const range = { first: offset, last: offset + target.length - 1 }
  const response = yield* remote.get({
    range: `bytes=${range.first}-${range.last}`,
    "if-range": facts.version.value
  })
  yield* isRange(remote.name, facts, range, response)
  yield* fill(remote.name, target, response.stream)
}, Effect.scoped)

interface Range {
  readonly first: number
  readonly last: number
}

/** Fails unless the response is this range of the known version. */
const isRange = (
  name: string,
  facts: HttpFacts.Stable,
  { first, last }: Range,
  response: HttpClientResponse
): Effect.Effect<void, SourceError> => {
  const { status, headers } = response
  if (status === 412 || status === 416) return changed(name, "the server has another version of it")
  if (status !== 200 && status !== 206) return HttpRemote.refused(name, response)
  const version = HttpFacts.versionOf(facts, headers)
  if (version._tag === "Other") return changed(name, version.description)
  if (headers["content-encoding"] !== undefined) {
    return unreadable(name, "its server encodes it, though asked not to")
  }
  const size = facts.size.value
  if (status === 200) {
    // A response with the whole content: the version has changed, or the server ignores ranges.
    if (version._tag === "Unknown") return changed(name, "the server has another version of it")
    const isAsked = first === 0 && last === size - 1
    return isAsked
      ? Effect.void
      : unreadable(name, "its server says that it knows ranges, and doesn't", advice)
  }
  const [, from, to, total] = contentRange.exec(headers["content-range"] ?? "") ?? []
  if (Number(from) !== first || Number(to) !== last) {
    return unreadable(name, "its server answers with another range than was asked for", advice)
  }
  if (total !== "*" && Number(total) !== size) {
    return changed(name, `its size was ${size} bytes and is ${total} bytes`)
  }
  if (version._tag === "Same") return Effect.void
  return unreadable(name, "its server doesn't tell which version a range is of", advice)
}

const contentRange = /^bytes (\d+)-(\d+)\/(\d+|\*)$/

const advice = "download it to a file and upload that"

/** Fills `target` with the body. Fails if the body is shorter or longer. */
const fill = Effect.fnUntraced(function* (
  name: string,
  target: Uint8Array,
  body: Stream.Stream<Uint8Array, HttpClientError>
) {
  let filled = 0
  const wrong = () => unreadable(name, "the server's answer is not as long as it says")
  yield* Stream.runForEach(body, (piece) => {
    if (filled + piece.length > target.length) return wrong()
    target.set(piece, filled)
    filled += piece.length
    return Effect.void
  })
  if (filled < target.length) return yield* wrong()
})

const sequential = (remote: HttpRemote.Remote, facts: HttpFacts.Facts, id: string): Sequential => ({
  _tag: "Sequential",
  id,
  size: Option.getOrNull(facts.size),
  fingerprint: HttpFacts.fingerprintOf(facts),
  lacks: HttpFacts.lackOf(facts),
  bytes: Stream.unwrap(
    Effect.map(
      Effect.filterOrFail(
        remote.get({}),
        ({ status }) => status === 200,
        (response) => HttpRemote.refused(remote.name, response)
      ),
      ({ stream }) => Stream.mapError(stream, remote.failed)
    )
  )
})
