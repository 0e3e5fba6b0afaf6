/** Reads the facts of the content behind a URL from a response's headers. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Fingerprint from "./fingerprint.ts"

export interface Facts {
  /** The size in bytes. */
  readonly size: Option.Option<number>
  /** Whether the server supports ranges. */
  readonly ranges: boolean
  readonly etag: Option.Option<string>
  readonly lastModified: Option.Option<string>
  /** The value for `If-Range`. Only a strong ETag guarantees the same bytes. */
  readonly version: Option.Option<string>
}

/** Content that can be read in ranges. */
export interface Stable extends Facts {
  readonly size: Option.Some<number>
  readonly version: Option.Some<string>
}

export const isStable = (facts: Facts): facts is Stable =>
  facts.ranges && Option.isSome(facts.size) && Option.isSome(facts.version)

/** The headers that are missing for reading in ranges. */
export const lackOf = ({ ranges, size, version }: Facts): string =>
  [
    ranges ? [] : ["ranges (Accept-Ranges: bytes)"],
    Option.isSome(size) ? [] : ["a length (Content-Length)"],
    Option.isSome(version) ? [] : ["a version (a strong ETag, or a Last-Modified before Date)"]
  ]
    .flat()
    .join(" and ")

export const fingerprintOf = ({ size, etag, lastModified }: Facts): string =>
  Fingerprint.make({
    size: Option.getOrUndefined(size),
    etag: Option.getOrUndefined(etag),
    lastModified: Option.getOrUndefined(lastModified)
  })

const Known = Schema.Struct({
  "content-length": Schema.OptionFromOptionalKey(
    Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))
  ),
  "accept-ranges": Schema.OptionFromOptionalKey(Schema.String),
  "content-encoding": Schema.OptionFromOptionalKey(Schema.String),
  date: Schema.OptionFromOptionalKey(Schema.NonEmptyString),
  etag: Schema.OptionFromOptionalKey(Schema.NonEmptyString),
  "last-modified": Schema.OptionFromOptionalKey(Schema.NonEmptyString)
})
const decode = Schema.decodeUnknownEffect(Known)

export const factsIn = (headers: Headers.Headers): Effect.Effect<Facts, Schema.SchemaError> =>
  Effect.map(decode(headers), (known) => {
    // The length of an encoded body differs from the length of the content.
    const plain = Option.isNone(known["content-encoding"])
    const { etag, date, "last-modified": lastModified } = known
    return {
      size: plain ? known["content-length"] : Option.none(),
      ranges: plain && Option.contains(known["accept-ranges"], "bytes"),
      etag,
      lastModified,
      version: Option.orElse(Option.filter(etag, isStrong), () =>
        Option.filter(lastModified, (modified) => isOlder(modified, date))
      )
    }
  })

const isStrong = (etag: string) => !etag.startsWith("W/")

/**
 * HTTP times are in seconds, so the content may change once more within the
 * second of the response.
 */
const isOlder = (modified: string, date: Option.Option<string>): boolean =>
  Option.match(date, {
    onNone: () => true,
    onSome: (date) =>
      Option.exists(Option.all([timeOf(date), timeOf(modified)]), ([responded, changed]) =>
        DateTime.isGreaterThan(responded, changed)
      )
  })

const timeOf = (text: string) => Result.getSuccess(Headers.parseHttpDate(text))

export type Version =
  | { readonly _tag: "Same" }
  | { readonly _tag: "Other"; readonly description: string }
  /** The response doesn't tell. */
  | { readonly _tag: "Unknown" }

/**
 * Whether a response belongs to the known version. If both have a strong ETag,
 * it alone decides.
 */
export const versionOf = (known: Facts, headers: Headers.Headers): Version => {
  const etag = shown("ETag", known.etag, headers["etag"])
  const modified = shown("time of modification", known.lastModified, headers["last-modified"])
  if (etag._tag === "Other" || modified._tag === "Unknown") return etag
  return etag._tag === "Same" && Option.exists(known.etag, isStrong) ? etag : modified
}

const shown = (noun: string, known: Option.Option<string>, now: string | undefined): Version => {
  if (Option.isNone(known) || now === undefined) return { _tag: "Unknown" }
  return known.value === now
    ? { _tag: "Same" }
    : { _tag: "Other", description: `its ${noun} was ${known.value} and is ${now}` }
}
