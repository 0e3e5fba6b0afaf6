/**
 * The location of a source, as a value that the cluster stores and sends. Every
 * machine that runs a part of the upload finds the same bytes with it.
 *
 * @since 0.1.0
 */
import type * as Source from "@effect-oss/core/Source"
import * as Schema from "effect/Schema"

/**
 * The location of a source. The cluster's database keeps it unchanged, with a
 * URL's query and headers.
 *
 * - `File`: a path that is the same file on every runner, such as on shared storage.
 * - `Http`: a URL whose server supports ranges and tells a length and an ETag
 *   or a modification time.
 *
 * @category models
 * @since 0.1.0
 */
export const Locator = Schema.TaggedUnion({
  File: { path: Schema.NonEmptyString },
  Http: {
    url: Schema.NonEmptyString,
    /** Identifies the source. Default: the URL without user, query and fragment. */
    id: Schema.optionalKey(Schema.String),
    /** Headers for each request, such as `Authorization`. */
    headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
  }
})

/**
 * The location of a source.
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
 * A URL whose server supports ranges.
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
