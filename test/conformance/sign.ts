/** Signs requests, by the documentation alone: neither with the client's code nor with the emulator's. */
import { createHash, createHmac } from "node:crypto"
import type { Signing } from "./Case.ts"

export interface Keys {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly securityToken?: string | undefined
}

export interface Unsigned {
  readonly method: string
  readonly bucket: string
  /** Empty: the bucket itself. */
  readonly key: string
  readonly query: Record<string, string>
  /** Names in lower case. */
  readonly headers: Record<string, string>
}

type Signed = Pick<Unsigned, "query" | "headers">

export const sign = (request: Unsigned, how: Signing, given: Keys, region: string): Signed => {
  const keys = {
    ...given,
    accessKeyId: how.accessKeyId ?? given.accessKeyId,
    accessKeySecret: how.secret ?? given.accessKeySecret
  }
  const now = new Date(Date.now() + (how.skew ?? 0) * 1000)
  switch (how.version ?? "v4") {
    case "none":
      return request
    case "v1":
      return headerV1(request, how, keys, now)
    case "v4":
      return headerV4(request, how, keys, now, region)
    case "presigned-v1":
      return presignedV1(request, how, keys, now)
    case "presigned-v4":
      return presignedV4(request, how, keys, now, region)
  }
}

const changed = (signature: string, { tampered }: Signing) =>
  tampered === true ? `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}` : signature

const headerV1 = (request: Unsigned, how: Signing, keys: Keys, now: Date): Signed => {
  const headers: Record<string, string> = {
    ...request.headers,
    date: now.toUTCString(),
    ...(keys.securityToken !== undefined && { "x-oss-security-token": keys.securityToken })
  }
  const signature = signV1({ ...request, headers }, headers["date"] ?? "", keys)
  const authorization = `OSS ${keys.accessKeyId}:${changed(signature, how)}`
  return { query: request.query, headers: { ...headers, authorization } }
}

const presignedV1 = (request: Unsigned, how: Signing, keys: Keys, now: Date): Signed => {
  const seconds = how.seconds ?? "60"
  const end = Math.floor(now.getTime() / 1000) + Number(seconds)
  const expires = Number.isNaN(end) ? seconds : String(end)
  const query: Record<string, string> = {
    ...request.query,
    ...(keys.securityToken !== undefined && { "security-token": keys.securityToken })
  }
  const signature = changed(signV1({ ...request, query }, expires, keys), how)
  return {
    query: { ...query, OSSAccessKeyId: keys.accessKeyId, Expires: expires, Signature: signature },
    headers: request.headers
  }
}

/** The parameters of the cases that version 1 signs. */
const subResource =
  /^(acl|append|bucketInfo|cors|delete|location|objectMeta|partNumber|requestPayment|stat|versionId|versioning|versions|position|response-.*|security-token|sequential|symlink|tagging|uploadId|uploads|x-oss-.*|continuation-token)$/

const signV1 = (request: Unsigned, date: string, keys: Keys): string => {
  const { method, bucket, key, query, headers } = request
  const oss = Object.keys(headers)
    .filter((name) => name.startsWith("x-oss-"))
    .sort()
    .map((name) => `${name}:${headers[name]}\n`)
  const resources = Object.keys(query)
    .filter((name) => subResource.test(name))
    .sort()
    .map((name) => (query[name] === "" ? name : `${name}=${query[name]}`))
  const lines = [method, headers["content-md5"] ?? "", headers["content-type"] ?? "", date]
  const resource = `/${bucket}/${key}${resources.length > 0 ? `?${resources.join("&")}` : ""}`
  return createHmac("sha1", keys.accessKeySecret)
    .update(`${lines.join("\n")}\n${oss.join("")}${resource}`)
    .digest("base64")
}

const scopeOf = (how: Signing, now: Date, region: string) => [
  how.day ?? stamp(now).slice(0, 8),
  how.region ?? region,
  how.product ?? "oss",
  how.requestType ?? "aliyun_v4_request"
]

const stamp = (date: Date) => date.toISOString().replaceAll(/[-:]|\.\d+/g, "")

const headerV4 = (
  request: Unsigned,
  how: Signing,
  keys: Keys,
  now: Date,
  region: string
): Signed => {
  const date = how.byDate === true ? now.toUTCString() : stamp(now)
  const headers: Record<string, string> = {
    "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
    ...request.headers,
    [how.byDate === true ? "date" : "x-oss-date"]: date,
    ...(keys.securityToken !== undefined && { "x-oss-security-token": keys.securityToken })
  }
  const scope = scopeOf(how, now, region)
  const signature = changed(signV4({ ...request, headers }, date, scope, keys), how)
  const credential = `${keys.accessKeyId}/${scope.join("/")}`
  const authorization = `OSS4-HMAC-SHA256 Credential=${credential},Signature=${signature}`
  return { query: request.query, headers: { ...headers, authorization } }
}

const presignedV4 = (
  request: Unsigned,
  how: Signing,
  keys: Keys,
  now: Date,
  region: string
): Signed => {
  const scope = scopeOf(how, now, region)
  const query: Record<string, string> = {
    ...request.query,
    "x-oss-signature-version": "OSS4-HMAC-SHA256",
    "x-oss-credential": `${keys.accessKeyId}/${scope.join("/")}`,
    "x-oss-date": stamp(now),
    "x-oss-expires": how.seconds ?? "60",
    ...(keys.securityToken !== undefined && { "x-oss-security-token": keys.securityToken })
  }
  const signature = changed(signV4({ ...request, query }, stamp(now), scope, keys), how)
  return { query: { ...query, "x-oss-signature": signature }, headers: request.headers }
}

const signV4 = (
  { method, bucket, key, query, headers }: Unsigned,
  date: string,
  scope: ReadonlyArray<string>,
  keys: Keys
): string => {
  const parameters = Object.entries(query)
    .map(([name, value]) => escaped(name) + (value === "" ? "" : `=${escaped(value)}`))
    .sort()
  const signed = Object.keys(headers)
    .filter((name) => /^(content-type|content-md5|x-oss-.*)$/.test(name))
    .sort()
    .map((name) => `${name}:${headers[name]?.trim()}\n`)
  const canonical = [
    method,
    `/${bucket}/${escaped(key).replaceAll("%2F", "/")}`,
    parameters.join("&"),
    signed.join(""),
    "",
    headers["x-oss-content-sha256"] ?? "UNSIGNED-PAYLOAD"
  ].join("\n")
  const hash = createHash("sha256").update(canonical).digest("hex")
  const secret = scope.reduce(
    (key, part) => createHmac("sha256", key).update(part).digest(),
    Buffer.from(`aliyun_v4${keys.accessKeySecret}`)
  )
  return createHmac("sha256", secret)
    .update(["OSS4-HMAC-SHA256", date, scope.join("/"), hash].join("\n"))
    .digest("hex")
}

export const escaped = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  )
