/**
 * Pages of sorted things: what OSS's list requests have in common.
 */

/** A page and, if more follows, the last thing on it. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly truncated: boolean
}

/** The first `max` of `sorted`. */
export const page = <A>(sorted: ReadonlyArray<A>, max: number): Page<A> => ({
  items: sorted.slice(0, max),
  truncated: max > 0 && sorted.length > max
})

/**
 * OSS sorts keys by their UTF-8 bytes. JavaScript compares UTF-16 units, which
 * differs only where a surrogate meets a unit above it.
 */
export const compareKeys = (a: string, b: string): number => {
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

/** Either a key or all keys that share a prefix up to a delimiter. */
export type Entry = { readonly key: string } | { readonly prefix: string }

export const nameOf = (entry: Entry): string => ("key" in entry ? entry.key : entry.prefix)

/**
 * The entries of the keys behind `after`, sorted: those with the delimiter
 * behind `prefix` are rolled up. A group named by `after` itself is done with.
 */
export const rollUp = (
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
