/**
 * Where a source is, as a value that is stored and sent: any machine that runs
 * a part of the upload finds the same bytes by it.
 *
 * @since 0.1.0
 */
import * as Source from "@effect-oss/core/Source"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { HttpClient } from "effect/http/HttpClient"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/**
 * Where a source is. It is kept in the cluster's database as it stands, a URL's
 * query and the headers included.
 *
 * - `File`: a path that is the same file on every runner, such as on shared storage.
 * - `Http`: a URL with ranges, a length, and an ETag or a time of modification.
 *
 * @category models
 * @since 0.1.0
 */
export const Locator = Schema.TaggedUnion({
  File: { path: Schema.NonEmptyString },
  Http: {
    url: Schema.NonEmptyString,
    /** Tells this source from others. Default: the URL without user, query and fragment. */
    id: Schema.optionalKey(Schema.String),
    /** Go with each request, for instance an `Authorization`. */
    headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
  }
})

/**
 * Where a source is.
 *
 * @category models
 * @since 0.1.0
 */
export type Locator = typeof Locator.Type

/**
 * A path that is the same file on every runner.
 *
 * @category constructors
 * @since 0.1.0
 */
export const file = (path: string): Locator => Locator.cases.File.make({ path })

/**
 * A URL with ranges.
 *
 * @category constructors
 * @since 0.1.0
 */
export const http = (url: string | URL, options?: Source.HttpOptions): Locator => {
  const { id, headers } = options ?? {}
  return Locator.cases.Http.make({
    url: String(url),
    ...(id === undefined ? {} : { id }),
    ...(headers === undefined ? {} : { headers })
  })
}

/**
 * How a source is called in messages: its path, or its URL without what may be
 * secret.
 *
 * @category combinators
 * @since 0.1.0
 */
export const nameOf = (locator: Locator): string => sourceOf(locator).name

/**
 * Opens what is there. It has to be readable at any place, since its parts are
 * sent from several machines: a URL without ranges fails with `InvalidRequest`.
 *
 * @category running
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function* (
  locator: Locator
): Effect.fn.Return<
  Source.RandomAccess,
  Source.SourceError | InvalidRequest,
  FileSystem | HttpClient | Scope.Scope
> {
  const opened = yield* sourceOf(locator).open
  if (opened._tag === "RandomAccess") return opened
  return yield* new InvalidRequest({
    field: "source",
    problem: `${nameOf(locator)} can't be read at any place`,
    remedy: "give a URL whose server tells its length and a version, and answers ranges"
  })
})

const sourceOf = (locator: Locator): Source.Source<never, FileSystem | HttpClient> =>
  locator._tag === "File"
    ? Source.file(locator.path)
    : Source.http(locator.url, { id: locator.id, headers: locator.headers })
