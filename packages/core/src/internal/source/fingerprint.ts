/**
 * Compares contents without reading them. A fingerprint is one line of
 * `name=value` facts, so that two fingerprints can be compared fact by fact.
 * Your own source may use any other text. Then any difference means that the
 * content has changed.
 */
import * as Result from "effect/Result"

/** The facts of a content, in the order in which messages name them. */
export interface Facts {
  /** The size in bytes. */
  readonly size?: number | undefined
  /** In milliseconds since 1970. */
  readonly modified?: number | undefined
  readonly lastModified?: string | undefined
  readonly etag?: string | undefined
  readonly crc64?: bigint | undefined
  /** The inode number. Weak: some file systems renumber their files at each mount. */
  readonly inode?: bigint | undefined
  /** The modification time of a file that a user chose, in milliseconds since 1970. Weak: a copy of the file has the same bytes and another time. */
  readonly touched?: number | undefined
}

/**
 * - `same`: the content is the same, as far as can be known without reading it.
 * - `other`: the content has changed.
 * - `compare`: only a weak fact differs, so the content may be the same. Compare
 *   its CRC64 with the bytes sent earlier.
 */
export type Comparison = "same" | "other" | "compare"

export const make = (facts: Facts): string => {
  let text = ""
  for (const [name, value] of Object.entries(facts)) {
    if (value === undefined) continue
    text += `${text === "" ? "" : ";"}${name}=${typeof value === "string" ? encodeURIComponent(value) : value}`
  }
  return text
}

/** Compares the fingerprint of an earlier run with this run's. */
export const compare = (then: string, now: string): Comparison => {
  if (then === now) return "same"
  const names = differing(then, now)
  return names.length > 0 && names.every((name) => weak.has(name)) ? "compare" : "other"
}

const weak: ReadonlySet<string> = new Set<keyof Facts>(["inode", "touched"])

/** Describes in a sentence how two fingerprints differ. */
export const difference = (then: string, now: string): string => {
  const [before, after] = [parse(then), parse(now)]
  const told = differing(then, now).flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)]
    if (name === "inode") return ["another file has taken its place"]
    const noun = nouns.get(name)
    if (noun === undefined || was === undefined || is === undefined) return []
    return [`its ${noun} was ${show(name, was)} and is ${show(name, is)}`]
  })
  // The facts before `inode` say more.
  return told[0] ?? "its content is not what it was"
}

const nouns: ReadonlyMap<string, string> = new Map([
  ["size", "size"],
  ["modified", "time of modification"],
  ["touched", "time of modification"],
  ["lastModified", "time of modification"],
  ["etag", "ETag"],
  ["crc64", "CRC64"]
])

const show = (name: string, value: string): string => {
  if (name === "size") return `${value} bytes`
  const time = new Date(Number(value))
  const isTime = name === "modified" || name === "touched"
  return isTime && Number.isFinite(time.getTime()) ? time.toISOString() : value
}

/** The names of the facts that differ. Empty if a fingerprint is not made of facts. */
const differing = (then: string, now: string): ReadonlyArray<string> => {
  const [before, after] = [parse(then), parse(now)]
  if (before.size === 0 || after.size === 0) return []
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].filter((name) => before.get(name) !== after.get(name))
}

const parse = (fingerprint: string): ReadonlyMap<string, string> => {
  const facts = fingerprint.split(";").map((fact) => /^([a-zA-Z0-9]+)=([^;=]*)$/.exec(fact))
  return facts.every((fact) => fact !== null)
    ? new Map(facts.map(([, name = "", value = ""]) => [name, decode(value)]))
    : new Map()
}

/** Decodes a value. A checkpoint may hold any text. */
const decode = (value: string): string =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(value)),
    () => value
  )
