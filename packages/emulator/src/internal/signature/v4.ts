/**
 * Version 4 of OSS's signature: HMAC-SHA256 of the hash of a canonical
 * request, with a key for the day and the region.
 */
import { createHash, createHmac } from "node:crypto"
import { byCodeUnits, type Signed, type SignedRequest, sortedEntries } from "./signing.ts"

/** The name of the signature's algorithm. */
export const algorithm = "OSS4-HMAC-SHA256"

/** Signs with the key of `scope`: day, region, product, request type. */
export const signV4 = (
  request: SignedRequest,
  how: {
    readonly scope: ReadonlyArray<string>
    readonly additional: ReadonlyArray<string>
    readonly date: string
    readonly secret: string
  }
): Signed => {
  const canonicalRequest = canonical(request, how.additional)
  const hash = createHash("sha256").update(canonicalRequest).digest("hex")
  const stringToSign = [algorithm, how.date, how.scope.join("/"), hash].join("\n")
  const key = keyOf(how.secret, how.scope)
  return { canonicalRequest, stringToSign, signature: hmac(key, stringToSign).toString("hex") }
}

/** The key for a scope. */
export const keyOf = (secret: string, scope: ReadonlyArray<string>): Buffer =>
  scope.reduce(hmac, Buffer.from(`aliyun_v4${secret}`))

const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest()

const canonical = (request: SignedRequest, additional: ReadonlyArray<string>): string => {
  const { method, bucket, key = "", query, headers } = request
  const parameters = query
    .filter(([name]) => name !== "x-oss-signature")
    .map(([name, value]): [string, string] => [
      escape(name),
      value === "" ? "" : `=${escape(value)}`
    ])
    .sort(([a], [b]) => byCodeUnits(a, b))
  const signed = sortedEntries(headers).filter(
    ([name]) =>
      name === "content-type" ||
      name === "content-md5" ||
      name.startsWith("x-oss-") ||
      additional.includes(name)
  )
  return [
    method,
    escape(bucket === undefined ? "/" : `/${bucket}/${key}`).replaceAll("%2F", "/"),
    parameters.map((pair) => pair.join("")).join("&"),
    signed.map(([name, value]) => `${name}:${value.trim()}\n`).join(""),
    [...additional].sort(byCodeUnits).join(";"),
    headers["x-oss-content-sha256"] ?? "UNSIGNED-PAYLOAD"
  ].join("\n")
}

/** All but the unreserved characters of RFC 3986. */
const escape = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  )
