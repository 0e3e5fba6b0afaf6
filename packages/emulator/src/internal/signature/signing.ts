/**
 * What the versions of OSS's signature have in common.
 */

/** A request, in so far as it is signed. */
export interface SignedRequest {
  readonly method: string
  readonly bucket?: string | undefined
  /** Unescaped. */
  readonly key?: string | undefined
  /** Unescaped; a parameter without a value has an empty one. */
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** A signature, and what was signed. */
export interface Signed {
  readonly stringToSign: string
  readonly signature: string
  readonly canonicalRequest?: string
}

/** The headers that are there, by name. */
export const sortedEntries = (headers: SignedRequest["headers"]): ReadonlyArray<[string, string]> =>
  Object.entries(headers)
    .flatMap(([name, value]): Array<[string, string]> =>
      value === undefined ? [] : [[name, value]]
    )
    .sort(([a], [b]) => byCodeUnits(a, b))

export const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
