/**
 * A rule of OSS as data: what is done first, what is asked, what OSS answers,
 * and the page that says so.
 *
 * In texts, `{name}` stands for what an earlier answer was saved as, `{key}`
 * for a key of this case alone, `{bucket}` for the bucket. A case that needs a
 * bucket of its own makes one.
 */

export interface Asked {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE" | "OPTIONS"
  /** Default: `{bucket}`; another one is removed after the case. */
  readonly bucket?: string
  /** Unescaped. Default: `{key}`; null: the bucket itself. */
  readonly key?: string | null
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** A text, or so many bytes. */
  readonly body?: string | number
  readonly sign?: Signing
}

/** How a request is signed, and what is wrong with it. Default: by version 4, rightly. */
export interface Signing {
  readonly version?: "v4" | "v1" | "presigned-v4" | "presigned-v1" | "none"
  readonly region?: string
  readonly product?: string
  readonly requestType?: string
  readonly day?: string
  readonly secret?: string
  readonly accessKeyId?: string
  /** Of a presigned URL. Default: 60. */
  readonly seconds?: string
  /** Of the date, in seconds from now. */
  readonly skew?: number
  /** Version 4 is dated by `Date`, not by `x-oss-date`. */
  readonly byDate?: boolean
  /** Changes the signature. */
  readonly tampered?: boolean
}

export interface Answer {
  /** A pattern matches a part; null: there is no such thing. */
  readonly status: number
  readonly code?: string
  readonly ec?: string
  readonly headers?: Readonly<Record<string, string | RegExp | null>>
  /** By the name of an element; the first of that name. */
  readonly xml?: Readonly<Record<string, string | RegExp | null>>
  readonly body?: string | RegExp
}

export interface Step extends Asked {
  /** What of the answer is kept: `xml:UploadId`, `header:etag`. */
  readonly save?: Readonly<Record<string, string>>
}

export interface Case {
  readonly rule: string
  /** Where OSS says so. */
  readonly source: string
  readonly given?: ReadonlyArray<Step>
  readonly asked: Asked
  readonly answer: Answer
  /** What holds afterwards. */
  readonly afterwards?: readonly [Asked, Answer]
}
