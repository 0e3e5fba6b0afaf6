/**
 * The headers that say how OSS stores an object, and the requests that carry them.
 *
 * @internal
 */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import type { ObjectOptions } from "../../ObjectOptions.ts"

type Callback = NonNullable<ObjectOptions["callback"]>

type Fields = Readonly<Record<string, string>>

/** The headers of one request, names in lower case. Fails if one of them can't be sent. */
export const headersFor = (
  operation: "initiate" | "complete" | "put",
  options: ObjectOptions = {}
): Result.Result<Record<string, string>, string> => {
  const fields = Object.entries(fieldsOf(options)).map(
    ([name, value]): readonly [string, string] => [name.toLowerCase(), value.trim()]
  )
  const problem = fields.map(problemOf).find((problem) => problem !== undefined)
  return problem === undefined
    ? Result.succeed(
        Object.fromEntries(fields.filter(([name]) => operationsOf(name).has(operation)))
      )
    : Result.fail(problem)
}

const fieldsOf = (options: ObjectOptions): Fields => ({
  ...options.headers,
  ...prefixed("x-oss-meta-", options.meta ?? {}),
  ...defined({
    "content-type": options.mime,
    "x-oss-storage-class": options.storageClass,
    "x-oss-object-acl": options.acl,
    "x-oss-tagging": options.tagging && urlEncoded(options.tagging),
    "x-oss-server-side-encryption": options.serverSideEncryption?.algorithm,
    "x-oss-server-side-encryption-key-id": options.serverSideEncryption?.keyId,
    "x-oss-forbid-overwrite": options.forbidOverwrite === true ? "true" : undefined,
    "x-oss-callback": options.callback && encodedCallback(options.callback),
    "x-oss-callback-var":
      options.callback?.variables && encodedVariables(options.callback.variables)
  })
})

const onlyOnCompletion: ReadonlySet<string> = new Set(["complete", "put"])
const onlyOnCreation: ReadonlySet<string> = new Set(["initiate", "put"])
const everywhere: ReadonlySet<string> = new Set(["initiate", "complete", "put"])

/** OSS reads these when it creates the object, and all others when the upload begins. */
const operationsOf = (name: string): ReadonlySet<string> => {
  switch (name) {
    case "x-oss-object-acl":
    case "x-oss-callback":
    case "x-oss-callback-var":
      return onlyOnCompletion
    case "x-oss-forbid-overwrite":
      return everywhere
    default:
      return onlyOnCreation
  }
}

/** Headers that the signature or the transfer sets. */
const reserved: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
  "content-length",
  "content-md5",
  "date",
  "expect",
  "host",
  "transfer-encoding",
  "user-agent",
  "x-oss-content-sha256",
  "x-oss-date",
  "x-oss-security-token"
])

/** Requests without object options need these too, so they are options of the client. */
const ofTheClient: Readonly<Record<string, string>> = {
  "x-oss-request-payer": "requestPayer",
  "x-oss-traffic-limit": "trafficLimit"
}

const problemOf = ([name, value]: readonly [string, string]): string | undefined => {
  if (Object.hasOwn(ofTheClient, name)) {
    return `the header "${name}" belongs to all requests of a client: give ${ofTheClient[name]} to its layer`
  }
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) return `"${name}" can't be the name of a header`
  if (reserved.has(name)) return `the header "${name}" is set by the client itself`
  // oxlint-disable-next-line no-control-regex -- a header can't carry them
  if (/[\0-\x08\x0a-\x1f\x7f]|\p{Surrogate}/u.test(value)) {
    return `the value of the header "${name}" has a control character or broken text`
  }
  return undefined
}

const prefixed = (prefix: string, fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${prefix}${name}`, value]))

const defined = (fields: Readonly<Record<string, string | undefined>>): Fields =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value ? [[name, value] as const] : []))
  )

const urlEncoded = (fields: Fields): string =>
  Object.entries(fields)
    .map(([name, value]) => `${percentEncoded(name)}=${percentEncoded(value)}`)
    .join("&")

/** Leaves broken text to `problemOf`, which reports it: encoding it would throw. */
const percentEncoded = (text: string): string =>
  isWellFormed(text) ? encodeURIComponent(text) : text

const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text)

const encodedCallback = (callback: Callback): string =>
  Base64.encode(
    JSON.stringify({
      callbackUrl: encodedUrl(callback.url),
      callbackHost: callback.host,
      callbackBody: callback.body,
      callbackBodyType: callback.contentType,
      callbackSNI: callback.callbackSNI === true ? true : undefined
    })
  )

/** Escapes as ali-oss does, with `encodeURI`: a `%` becomes `%25`. */
const encodedUrl = (url: string): string => (isWellFormed(url) ? encodeURI(url) : url)

const encodedVariables = (variables: Fields): string =>
  Base64.encode(JSON.stringify(prefixed("x:", variables)))
