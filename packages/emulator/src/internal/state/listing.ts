/** Lists parts, uploads and objects in pages, as OSS does. Pure. */
import * as HashMap from "effect/HashMap"
import * as Result from "effect/Result"
import type * as Bucket from "./model.ts"
import { findBucket, findUpload } from "./queries.ts"
import { versionsOf } from "./versions.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { invalid } from "../wire/errors.ts"

/** Part of a list. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** True if more items follow. */
  readonly truncated: boolean
}

/** A key, or all keys that share a prefix up to a delimiter. */
export type Entry = { readonly key: string } | { readonly prefix: string }

/** The name by which an entry is sorted, and with which the next page is requested. */
export const nameOf = (entry: Entry): string => ("key" in entry ? entry.key : entry.prefix)

/** The parts of an upload with numbers above `after`, ascending. */
export const parts = (
  state: Bucket.State,
  query: {
    readonly bucket: string
    readonly key: string
    readonly uploadId: string
    readonly after: number
    readonly max: number
  }
): Result.Result<
  { readonly page: Page<Bucket.StoredPart>; readonly upload: Bucket.OpenUpload },
  Refusal
> =>
  Result.gen(function* () {
    yield* checkMax("max-parts", query.max)
    const [, upload] = yield* findUpload(state, query)
    const parts = HashMap.toValues(upload.parts).filter(({ number }) => number > query.after)
    const sorted = parts.sort((a, b) => a.number - b.number)
    return { page: page(sorted, query.max), upload }
  })

/** An upload, or all uploads of keys that share a prefix up to a delimiter. */
export type UploadEntry = Bucket.OpenUpload | { readonly prefix: string }

/** A page of a bucket's list of keys. */
interface PageOfKeys {
  readonly bucket: string
  readonly prefix: string
  /** Empty: none. */
  readonly delimiter: string
  readonly max: number
}

/** The uploads of a bucket after a position, ascending by key and upload id. */
export const uploads = (
  state: Bucket.State,
  query: PageOfKeys & {
    readonly keyMarker: string
    /** Counts only together with `keyMarker`. Empty: after all uploads of that key. */
    readonly uploadIdMarker: string
  }
): Result.Result<Page<UploadEntry>, Refusal> =>
  Result.gen(function* () {
    yield* checkMax("max-uploads", query.max)
    const bucket = yield* findBucket(state, query.bucket)
    const groups = new Set<string>()
    const entries: Array<UploadEntry> = []
    for (const upload of HashMap.values(bucket.uploads)) {
      if (!upload.key.startsWith(query.prefix) || !isBehind(upload, query)) continue
      const group = groupOf(upload.key, query)
      if (group === undefined) entries.push(upload)
      else groups.add(group)
    }
    groups.delete(query.keyMarker)
    for (const prefix of groups) entries.push({ prefix })
    return page(entries.sort(byKeyAndId), query.max)
  })

/** The key up to the delimiter after the prefix, if it has one. */
const groupOf = (
  key: string,
  { prefix, delimiter }: { readonly prefix: string; readonly delimiter: string }
): string | undefined => {
  const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length)
  return end < 0 ? undefined : key.slice(0, end + delimiter.length)
}

/**
 * The keys of a bucket after a position. Keys that share a prefix up to the
 * delimiter become one entry.
 */
export const objects = (
  state: Bucket.State,
  query: PageOfKeys & { readonly after: string }
): Result.Result<{ readonly page: Page<Entry>; readonly bucket: Bucket.BucketState }, Refusal> =>
  Result.gen(function* () {
    yield* checkMax("max-keys", query.max)
    const bucket = yield* findBucket(state, query.bucket)
    const entries = rollUp(HashMap.keys(bucket.objects), query)
    return { page: page(entries, query.max), bucket }
  })

/** A version of an object, a delete marker, or all keys that share a prefix up to a delimiter. */
export type VersionEntry =
  | { readonly version: Bucket.Version; readonly isLatest: boolean }
  | { readonly prefix: string }

/** The versions of a bucket after a position, ascending by key, the newest version of each key first. */
export const versions = (
  state: Bucket.State,
  query: PageOfKeys & {
    readonly keyMarker: string
    /** Continues after this version of `keyMarker`. Empty: after all of its versions. */
    readonly versionIdMarker: string
  }
): Result.Result<Page<VersionEntry>, Refusal> =>
  Result.gen(function* () {
    yield* checkMax("max-keys", query.max)
    const { keyMarker, versionIdMarker, max } = query
    if (versionIdMarker !== "" && keyMarker === "") {
      const problem = "A version-id marker cannot be specified without a key marker."
      yield* Result.fail(invalid("version-id-marker", versionIdMarker, problem, "0012-00000106"))
    }
    const bucket = yield* findBucket(state, query.bucket)
    const versionsOfKey = (key: string): ReadonlyArray<VersionEntry> =>
      versionsOf(bucket, key).map((version, index) => ({ version, isLatest: index === 0 }))
    const begun = versionsOfKey(keyMarker)
    const reached = begun.findIndex(
      (entry) => "version" in entry && entry.version.versionId === versionIdMarker
    )
    const keys = new Set([...HashMap.keys(bucket.objects), ...HashMap.keys(bucket.history)])
    const items = reached < 0 ? [] : begun.slice(reached + 1)
    for (const entry of rollUp(keys, { ...query, after: keyMarker })) {
      if (items.length > max) break
      if ("prefix" in entry) items.push(entry)
      else items.push(...versionsOfKey(entry.key))
    }
    return page(items, max)
  })

/** OSS: at most 1,000 items a page. */
export const maxPage = 1000

const page = <A>(sorted: ReadonlyArray<A>, max: number): Page<A> => ({
  items: sorted.slice(0, max),
  truncated: sorted.length > max
})

/**
 * OSS sorts keys by their UTF-8 bytes. JavaScript compares UTF-16 units; the
 * order differs only between a surrogate and a unit above it.
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
 * The sorted entries of the keys after `after`. Keys with the delimiter after
 * `prefix` become one group. A group whose name is `after` is left out.
 */
const rollUp = (
  keys: Iterable<string>,
  options: { readonly prefix: string; readonly delimiter: string; readonly after: string }
): ReadonlyArray<Entry> => {
  const { prefix, after } = options
  const groups = new Set<string>()
  const entries: Array<Entry> = []
  for (const key of keys) {
    if (!key.startsWith(prefix) || compareKeys(key, after) <= 0) continue
    const group = groupOf(key, options)
    if (group === undefined) entries.push({ key })
    else groups.add(group)
  }
  groups.delete(after)
  for (const group of groups) entries.push({ prefix: group })
  return entries.sort((a, b) => compareKeys(nameOf(a), nameOf(b)))
}

const checkMax = (name: string, max: number): Result.Result<void, Refusal> =>
  Number.isInteger(max) && max >= 1 && max <= maxPage
    ? Result.succeed(undefined)
    : Result.fail(invalid(name, String(max), `${name} must be from 1 to ${maxPage}.`))

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

const byKeyAndId = (a: UploadEntry, b: UploadEntry): number =>
  compareKeys(nameOf(a), nameOf(b)) ||
  ("uploadId" in a && "uploadId" in b ? compareKeys(a.uploadId, b.uploadId) : 0)
