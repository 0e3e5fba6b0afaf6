/**
 * Signs with version 4 by the runtime's own Web Crypto, in browsers, workers
 * and servers. The key that a day's signatures are made with is derived once.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Redacted from "effect/Redacted"
import type { Credentials } from "../../OssCredentials.ts"
import { Rejected } from "../../OssError.ts"
import type { Connection } from "./endpoint.ts"
import { type Request, urlOf } from "./request.ts"
import { headersV4, isoOf, type Keys, type Signer, withoutKeys } from "./signer.ts"

/** The types of Web Crypto are those of the runtime: not all have them under the same names. */
type SubtleCrypto = typeof globalThis.crypto.subtle
type CryptoKey = Awaited<ReturnType<SubtleCrypto["importKey"]>>

/** Undefined in pages that were not loaded over HTTPS. */
export const subtle = (): SubtleCrypto | undefined => {
  const { crypto }: { readonly crypto?: Partial<typeof globalThis.crypto> } = globalThis
  return crypto?.subtle
}

export const make = (connection: Connection, keys: Keys, crypto: SubtleCrypto): Signer => {
  const region = connection.region.replace(/^oss-/, "")
  const dayKey = keptKey(crypto, region)
  return {
    sign: Effect.fnUntraced(function* (request, time) {
      const used = yield* Effect.mapError(keys.current, withoutKeys)
      const date = isoOf(time)
      const day = date.slice(0, 8)
      const scope = `${day}/${region}/oss/aliyun_v4_request`
      const headers = headersV4(request.headers, date, tokenOf(used))
      const key = yield* dayKey(used, day)
      const canonical = canonicalRequest(connection.bucket, request, headers)
      const digest = yield* attempt(() => crypto.digest("SHA-256", utf8(canonical)))
      const text = `OSS4-HMAC-SHA256\n${date}\n${scope}\n${hex(digest)}`
      const signature = hex(yield* attempt(() => crypto.sign("HMAC", key, utf8(text))))
      const authorization = `OSS4-HMAC-SHA256 Credential=${used.accessKeyId.trim()}/${scope},Signature=${signature}`
      return {
        url: urlOf(connection, request),
        headers: { ...headers, authorization },
        expired: keys.expired(used)
      }
    })
  }
}

/** Keeps the last key: requests of a day share it, and those of other credentials don't. */
const keptKey = (crypto: SubtleCrypto, region: string) => {
  let kept: { credentials: Credentials; day: string; key: CryptoKey } | undefined
  const imported = (raw: Uint8Array<ArrayBuffer> | ArrayBuffer) =>
    attempt(() => crypto.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]))
  return Effect.fnUntraced(function* (credentials: Credentials, day: string) {
    if (kept?.credentials === credentials && kept.day === day) return kept.key
    let key = yield* imported(
      utf8(`aliyun_v4${Redacted.value(credentials.accessKeySecret).trim()}`)
    )
    for (const step of [day, region, "oss", "aliyun_v4_request"]) {
      key = yield* imported(yield* attempt(() => crypto.sign("HMAC", key, utf8(step))))
    }
    kept = { credentials, day, key }
    return key
  })
}

const attempt = <A>(operation: () => Promise<A>): Effect.Effect<A, Rejected> =>
  Effect.tryPromise({
    try: operation,
    catch: (thrown) => new Rejected({ description: `it could not be signed: ${thrown}` })
  })

const tokenOf = ({ securityToken }: Credentials) =>
  securityToken === undefined ? undefined : Redacted.value(securityToken).trim()

const utf8 = (text: string) => new TextEncoder().encode(text)

const hex = (bytes: ArrayBuffer) => Hex.encode(new Uint8Array(bytes))

/** What version 4 signs. OSS reads the bucket before the key, wherever the URL has it. */
export const canonicalRequest = (
  bucket: string,
  { method, key = "", query }: Request,
  headers: Request["headers"]
): string => {
  const parameters = sorted(query).map(([name, value]) =>
    value === null ? escaped(name) : `${escaped(name)}=${escaped(value)}`
  )
  const signed = sorted(headers)
    .filter(([name]) => /^(content-type|content-md5|x-oss-.*)$/.test(name))
    .map(([name, value]) => `${name}:${value.trim()}\n`)
  return [
    method,
    escaped(`/${bucket}/${key}`).replaceAll("%2F", "/"),
    parameters.join("&"),
    signed.join(""),
    "",
    "UNSIGNED-PAYLOAD"
  ].join("\n")
}

/** By name, in the order of code units. */
const sorted = <A>(fields: Readonly<Record<string, A>>): ReadonlyArray<readonly [string, A]> =>
  Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))

const escaped = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )
