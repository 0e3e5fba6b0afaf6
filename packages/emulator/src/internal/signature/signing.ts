/**
 * The common part of OSS's signature versions.
 */

/** The signed parts of a request. */
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

/** A signature, and the text that was signed. */
export interface Signed {
  readonly stringToSign: string
  readonly signature: string
  readonly canonicalRequest?: string
}

/** The present headers, sorted by name. */
export const sortedEntries = (headers: SignedRequest["headers"]): ReadonlyArray<[string, string]> =>
  Object.entries(headers)
    .flatMap(([name, value]): Array<[string, string]> =>
      value === undefined ? [] : [[name, value]]
    )
    .sort(([a], [b]) => byCodeUnits(a, b))

export const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
