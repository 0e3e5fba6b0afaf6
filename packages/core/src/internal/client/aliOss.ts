/**
 * The only file that knows ali-oss: it signs requests, writes their XML and
 * reads the XML of answers. It never sends anything: a client derived for each
 * call hands its request over, and is given the answer in return.
 *
 * @internal
 */
import type AliOss from "ali-oss"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { PassThrough } from "node:stream"
import type { Credentials } from "../../OssCredentials.ts"
import type { Operation } from "../../OssError.ts"
import { Rejected } from "../../OssError.ts"
import type { Connection } from "./endpoint.ts"

/** A request as it goes over the wire. */
export interface Signed {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** The body, where ali-oss writes it. */
  readonly content: string | undefined
}

/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** What ali-oss made of an answer. */
export type Understood =
  | {
      readonly _tag: "Returned"
      readonly returned: unknown
      /** The body: parsed, if it is XML that the method reads. */
      readonly data: unknown
    }
  | { readonly _tag: "Thrown"; readonly thrown: unknown }

/** One method of ali-oss, called. */
export type Call = (client: Methods) => Promise<unknown>

/** What is used of ali-oss, as it is: its published types are narrower than what it takes. */
export interface Methods {
  readonly initMultipartUpload: (key: string, options: object) => Promise<unknown>
  readonly uploadPart: (
    key: string,
    uploadId: string,
    number: number,
    file: Buffer,
    start: number,
    end: number
  ) => Promise<unknown>
  readonly listParts: (key: string, uploadId: string, query: object) => Promise<unknown>
  readonly completeMultipartUpload: (
    key: string,
    uploadId: string,
    parts: ReadonlyArray<{ readonly number: number; readonly etag: string }>,
    options: object
  ) => Promise<unknown>
  readonly abortMultipartUpload: (key: string, uploadId: string) => Promise<unknown>
  readonly listUploads: (query: object) => Promise<unknown>
  readonly head: (key: string) => Promise<unknown>
  readonly putStream: (key: string, stream: PassThrough, options: object) => Promise<unknown>
}

/** A request that is ready to go, and the way back for its answer. */
export interface Prepared {
  readonly signed: Signed
  /** Call it once at most. An answer that never comes leaves nothing behind. */
  readonly understand: (answer: Answer) => Effect.Effect<Understood>
}

/** What a call is about, for those who sign it elsewhere. */
export interface Subject {
  readonly operation: Operation
  readonly key?: string
}

export interface Signer<out E = Rejected> {
  /** `offset`: the server's time less this machine's, in milliseconds. */
  readonly sign: (
    call: Call,
    credentials: Credentials,
    offset: number,
    subject: Subject
  ) => Effect.Effect<Prepared, E>
}

/** Loaded late: it takes a fifth of a second. */
export const load = Effect.fnUntraced(function* (connection: Connection) {
  const { default: Client } = yield* Effect.promise(() => import("ali-oss"))
  const options = {
    accessKeyId: "set for each call",
    accessKeySecret: "set for each call",
    bucket: connection.bucket,
    region: connection.region,
    endpoint: connection.endpoint,
    cname: connection.cname,
    sldEnable: connection.pathStyle,
    authorizationV4: connection.signature === "v4",
    ...carried
  }
  const base = new Client(options)
  return signer(
    (credentials, skew, request) => derive(base, credentials, skew, request),
    connection
  )
})

/** Options of whatever client signs for us. */
export const carried = {
  // UTF-8 in header values; without it they are left to an HTTP engine that refuses them.
  headerEncoding: "latin1",
  /** Requests are sent again elsewhere. */
  retryMax: 0,
  /** Aborting an upload sets it. */
  cancelFlag: false
}

/** Calls run on what `derive` makes for each; `skew` is the server's time less that of `Date`, in milliseconds. */
export const signer = (
  derive: (credentials: Credentials, skew: number, request: Request) => Methods,
  { pathStyle, signature }: Connection
): Signer => ({
  sign: Effect.fnUntraced(function* (call, credentials, offset) {
    // ali-oss signs with the machine's clock: this makes it Effect's, plus the offset.
    // The first millisecond of 1970, where test clocks begin, would be taken for no date.
    const time = Math.max((yield* Clock.currentTimeMillis) + offset, 1)
    const skew = time - new Date().getTime()
    const prepared = yield* Effect.tryPromise({
      try: () => handOver(call, (request) => derive(credentials, skew, request), pathStyle),
      catch: (thrown) => new Rejected({ description: `it could not be signed: ${thrown}` })
    })
    const cut = signature === "v1" ? cutOff(prepared.signed) : undefined
    return cut === undefined ? prepared : yield* uncovered(cut)
  })
})

/** Signing version 1, ali-oss takes a last byte A0, part of an "à", for a space. */
const cutOff = ({ headers }: Signed): string | undefined =>
  Object.entries(headers).find(
    ([name, value]) => name.startsWith("x-oss-") && value.trim() !== value
  )?.[0]

const uncovered = (header: string) =>
  new Rejected({
    description: `a signature of version 1 can't cover the last character of the header "${header}": use version 4`
  })

/** What ali-oss calls to send a request. */
export type Request = (url: string, args: RequestArguments) => Promise<Fed>

interface RequestArguments {
  readonly method: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly content?: string | undefined
}

/** What ali-oss expects of urllib; it puts the parsed XML into `data`. */
interface Fed {
  readonly status: number
  readonly headers: Answer["headers"]
  readonly res: Pick<Answer, "status" | "headers">
  readonly data: unknown
}

/** A client of its own for each call: `abort` sets a flag on the client that it is called on. */
const derive = (
  base: AliOss,
  credentials: Credentials,
  skew: number,
  request: Request
): Methods => {
  const client = Object.create(base)
  client.options = {
    ...client.options,
    accessKeyId: credentials.accessKeyId.trim(),
    accessKeySecret: Redacted.value(credentials.accessKeySecret).trim(),
    stsToken: credentials.securityToken && Redacted.value(credentials.securityToken).trim(),
    amendTimeSkewed: skew
  }
  client.urllib = { request }
  return client
}

const handOver = (
  call: Call,
  derive: (request: Request) => Methods,
  pathStyle: boolean
): Promise<Prepared> =>
  new Promise((resolve, reject) => {
    const client = derive(
      (url, args) =>
        new Promise((feed) => {
          const signed = signedOf(url, args, pathStyle)
          resolve({
            signed,
            understand: (answer) => Effect.promise(() => understand(signed, answer, feed, outcome))
          })
        })
    )
    const outcome = call(client)
    outcome.catch(reject)
  })

const understand = (
  signed: Signed,
  { status, headers, body }: Answer,
  feed: (answer: Fed) => void,
  outcome: Promise<unknown>
): Promise<Understood> => {
  // To a request with a callback OSS answers what the callback said; ali-oss insists on JSON.
  const ignored = status === 200 && "x-oss-callback" in signed.headers
  const fed = {
    status,
    headers,
    res: { status, headers },
    data: ignored ? "{}" : Buffer.from(body)
  }
  feed(fed)
  return outcome.then(
    (returned) => ({ _tag: "Returned", returned, data: fed.data }),
    (thrown) => ({ _tag: "Thrown", thrown })
  )
}

const signedOf = (url: string, args: RequestArguments, pathStyle: boolean): Signed => ({
  method: args.method,
  url,
  headers: Object.fromEntries(
    Object.entries(args.headers)
      // For an IP address ali-oss names the bucket in Host, even where it is in the path.
      .filter(([name, value]) => value !== undefined && !(pathStyle && name === "host"))
      .map(([name, value]) => [name.toLowerCase(), String(value)])
  ),
  content: args.content
})

// The calls. Options are fresh objects: ali-oss writes into them.

type Fields = Readonly<Record<string, string>>

export const initiate =
  (key: string, headers: Fields): Call =>
  (client) =>
    client.initMultipartUpload(key, { headers: { ...headers } })

/** The body is not ali-oss's business: it gets none, but signs its length. */
export const uploadPart =
  (key: string, uploadId: string, number: number, size: number): Call =>
  (client) =>
    client.uploadPart(key, uploadId, number, Buffer.alloc(0), 0, size)

export const listParts =
  (key: string, uploadId: string, after: number | undefined): Call =>
  (client) =>
    // A marker of 0 is refused.
    client.listParts(key, uploadId, after ? { "part-number-marker": String(after) } : {})

export const complete =
  (
    key: string,
    uploadId: string,
    parts: ReadonlyArray<{ readonly number: number; readonly etag: string }>,
    headers: Fields
  ): Call =>
  (client) =>
    client.completeMultipartUpload(key, uploadId, parts, { headers: { ...headers } })

export const abort =
  (key: string, uploadId: string): Call =>
  (client) =>
    client.abortMultipartUpload(key, uploadId)

export const listUploads =
  (query: Readonly<Record<string, string | undefined>>): Call =>
  (client) =>
    client.listUploads({
      "max-uploads": "1000",
      // XML can't express all characters of a key.
      "encoding-type": "url",
      // Empty parameters are signed in more than one way.
      ...Object.fromEntries(Object.entries(query).filter(([, value]) => value))
    })

export const head =
  (key: string): Call =>
  (client) =>
    client.head(key)

/** As with `uploadPart`; a stream, because of bytes ali-oss would sign an MD5. */
export const put =
  (key: string, size: number, headers: Fields): Call =>
  (client) =>
    client.putStream(key, new PassThrough().end(), {
      contentLength: String(size),
      headers: { ...headers }
    })
