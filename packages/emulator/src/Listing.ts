/**
 * OSS's lists: of parts, of uploads and of objects, in pages. Pure.
 *
 * @since 0.1.0
 */
import * as HashMap from "effect/HashMap"
import * as Result from "effect/Result"
import * as Bucket from "./Bucket.ts"
import { refuse, type Refusal } from "./ErrorCode.ts"

/**
 * Part of a list.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** More follows behind the last item. */
  readonly truncated: boolean
}

/**
 * A key, or all keys that share a prefix up to a delimiter.
 *
 * @category models
 * @since 0.1.0
 */
export type Entry = { readonly key: string } | { readonly prefix: string }

/**
 * What an entry is sorted by, and how the next page is asked for.
 *
 * @category accessors
 * @since 0.1.0
 */
export const nameOf = (entry: Entry): string => ("key" in entry ? entry.key : entry.prefix)

/**
 * The parts of an upload with numbers above `after`, ascending.
 *
 * @category queries
 * @since 0.1.0
 */
export const parts = (
  state: Bucket.State,
  query: {
    readonly bucket: string
    readonly key: string
    readonly uploadId: string
    readonly after: number
    readonly max: number
  }
): Result.Result<Page<Bucket.StoredPart>, Refusal> =>
  Result.gen(function* () {
    yield* checkMax("max-parts", query.max)
    const [, upload] = yield* Bucket.findUpload(state, query)
    const parts = HashMap.toValues(upload.parts).filter(({ number }) => number > query.after)
    return page(
      parts.sort((a, b) => a.number - b.number),
      query.max
    )
  })

/**
 * The uploads of a bucket behind a position, ascending by key and upload id.
 *
 * @category queries
 * @since 0.1.0
 */
export const uploads = (
  state: Bucket.State,
  query: {
    readonly bucket: string
    readonly prefix: string
    readonly keyMarker: string
    /** Counts only together with `keyMarker`; empty: behind all uploads of that key. */
    readonly uploadIdMarker: string
    readonly max: number
  }
): Result.Result<Page<Bucket.OpenUpload>, Refusal> =>
  Result.gen(function* () {
    yield* checkMax("max-uploads", query.max)
    const bucket = yield* Bucket.findBucket(state, query.bucket)
    const found = HashMap.toValues(bucket.uploads).filter(
      (upload) => upload.key.startsWith(query.prefix) && isBehind(upload, query)
    )
    return page(found.sort(byKeyAndId), query.max)
  })

/**
 * The keys of a bucket behind a position; those that share a prefix up to the
 * delimiter become one entry.
 *
 * @category queries
 * @since 0.1.0
 */
export const objects = (
  state: Bucket.State,
  query: {
    readonly bucket: string
    readonly prefix: string
    /** Empty: none. */
    readonly delimiter: string
    readonly after: string
    readonly max: number
  }
): Result.Result<{ readonly page: Page<Entry>; readonly bucket: Bucket.BucketState }, Refusal> =>
  Result.gen(function* () {
    yield* checkMax("max-keys", query.max)
    const bucket = yield* Bucket.findBucket(state, query.bucket)
    const entries = rollUp(HashMap.keys(bucket.objects), query)
    return { page: page(entries, query.max), bucket }
  })

/**
 * OSS lists at most 1,000 things a page.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxPage = 1000

const page = <A>(sorted: ReadonlyArray<A>, max: number): Page<A> => ({
  items: sorted.slice(0, max),
  truncated: sorted.length > max
})

/**
 * OSS sorts keys by their UTF-8 bytes. JavaScript compares UTF-16 units, which
 * differs only where a surrogate meets a unit above it.
 */
const compareKeys = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

const rank = (unit: number) =>
  unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit

/**
 * The entries of the keys behind `after`, sorted: those with the delimiter
 * behind `prefix` are rolled up. A group named by `after` itself is done with.
 */
const rollUp = (
  keys: Iterable<string>,
  options: { readonly prefix: string; readonly delimiter: string; readonly after: string }
): ReadonlyArray<Entry> => {
  const { prefix, delimiter, after } = options
  const groups = new Set<string>()
  const entries: Array<Entry> = []
  for (const key of keys) {
    if (!key.startsWith(prefix) || compareKeys(key, after) <= 0) continue
    const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length)
    if (end < 0) entries.push({ key })
    else groups.add(key.slice(0, end + delimiter.length))
  }
  groups.delete(after)
  for (const group of groups) entries.push({ prefix: group })
  return entries.sort((a, b) => compareKeys(nameOf(a), nameOf(b)))
}

const checkMax = (name: string, max: number): Result.Result<void, Refusal> =>
  Number.isInteger(max) && max >= 1 && max <= maxPage
    ? Result.succeed(undefined)
    : Result.fail(refuse("InvalidArgument", `${name} must be from 1 to ${maxPage}.`))

const isBehind = (
  upload: Bucket.OpenUpload,
  marker: { readonly keyMarker: string; readonly uploadIdMarker: string }
): boolean => {
  const order = compareKeys(upload.key, marker.keyMarker)
  return (
    order > 0 ||
    (order === 0 && marker.uploadIdMarker !== "" && upload.uploadId > marker.uploadIdMarker)
  )
}

const byKeyAndId = (a: Bucket.OpenUpload, b: Bucket.OpenUpload): number =>
  compareKeys(a.key, b.key) || compareKeys(a.uploadId, b.uploadId)
