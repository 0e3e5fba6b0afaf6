/**
 * The text that version 4 signs. Pure. Other modules compute the signature.
 *
 * @internal
 */
import * as Redacted from "effect/Redacted"
import type { Credentials } from "../../OssCredentials.ts"
import type { Connection } from "./endpoint.ts"
import { type Request, urlOf } from "./request.ts"
import type { Signed } from "./signer.ts"

/** A request, complete but for its signature. */
export interface Unsigned {
  readonly url: string
  readonly headers: Record<string, string>
  /** `20261122T100000Z` */
  readonly date: string
  /** The day, region and service that the signature is valid for. */
  readonly scope: string
  /** The text whose digest is signed. */
  readonly canonical: string
}

/** The region as signatures name it: without `oss-`. */
export const regionOf = ({ region }: Connection): string => region.replace(/^oss-/, "")

/** The steps that derive a day's key from the secret, in order. */
export const derivation = (day: string, region: string): ReadonlyArray<string> => [
  day,
  region,
  "oss",
  "aliyun_v4_request"
]

/** The secret that a day's key is derived from. */
export const secretOf = ({ accessKeySecret }: Credentials): string =>
  `aliyun_v4${Redacted.value(accessKeySecret).trim()}`

export const prepare = (
  connection: Connection,
  region: string,
  credentials: Credentials,
  request: Request,
  time: number
): Unsigned => {
  const date = isoOf(time)
  const headers = headersOf(request.headers, date, tokenOf(credentials))
  return {
    url: urlOf(connection, request),
    headers,
    date,
    scope: `${date.slice(0, 8)}/${region}/oss/aliyun_v4_request`,
    canonical: canonicalRequest(connection.bucket, request, headers)
  }
}

/** The headers of a request and those that version 4 adds, without the signature. */
export const headersOf = (
  headers: Request["headers"],
  date: string,
  token: string | undefined
): Record<string, string> => ({
  ...headers,
  "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
  "x-oss-date": date,
  ...(token ? { "x-oss-security-token": token } : undefined)
})

/** The text that is signed. `digest` is that of the canonical request, in hexadecimal. */
export const textOf = ({ date, scope }: Unsigned, digest: string): string =>
  `OSS4-HMAC-SHA256\n${date}\n${scope}\n${digest}`

/** Adds the signature, in hexadecimal. */
export const withSignature = (
  { url, headers, scope }: Unsigned,
  { accessKeyId }: Credentials,
  signature: string
): Pick<Signed, "url" | "headers"> => {
  headers["authorization"] =
    `OSS4-HMAC-SHA256 Credential=${accessKeyId.trim()}/${scope},Signature=${signature}`
  return { url, headers }
}

/** `20261122T100000Z` */
export const isoOf = (time: number): string =>
  new Date(time).toISOString().replace(/[-:]|\.\d+/g, "")

const tokenOf = ({ securityToken }: Credentials) =>
  securityToken === undefined ? undefined : Redacted.value(securityToken).trim()

/** The path has the bucket before the key, wherever the URL has the bucket. */
const canonicalRequest = (
  bucket: string,
  { method, key = "", query }: Request,
  headers: Request["headers"]
): string => {
  const parameters = namesOf(query).map((name) => {
    const value = query[name] ?? null
    return value === null ? escaped(name) : `${escaped(name)}=${escaped(value)}`
  })
  let signed = ""
  for (const name of namesOf(headers)) {
    if (isSigned(name)) signed += `${name}:${headers[name]?.trim()}\n`
  }
  const path = escaped(`/${bucket}/${key}`).replaceAll("%2F", "/")
  return `${method}\n${path}\n${parameters.join("&")}\n${signed}\n\nUNSIGNED-PAYLOAD`
}

const isSigned = (name: string) =>
  name === "content-type" || name === "content-md5" || name.startsWith("x-oss-")

/** In the order of code units. */
const namesOf = (fields: object): ReadonlyArray<string> => Object.keys(fields).sort()

const escaped = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )
