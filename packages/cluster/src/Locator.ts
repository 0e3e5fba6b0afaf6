/**
 * Where a source is, as a value that is stored and sent: any machine that runs
 * a part of the upload finds the same bytes by it.
 *
 * @since 0.1.0
 */
import type * as Source from "@effect-oss/core/Source"
import * as Schema from "effect/Schema"

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
