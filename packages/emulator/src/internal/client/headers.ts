/**
 * The headers that a client makes of an upload's options. With them, the
 * interface without I/O applies the same rules as HTTP.
 */
import type { ObjectOptions } from "@effect-oss/core/ObjectOptions"
import * as Result from "effect/Result"

/** Names are in lower case. Fails if HTTP can't carry an option. */
export const headersOf = (
  operation: "initiate" | "complete" | "put",
  options: ObjectOptions = {}
): Result.Result<Record<string, string>, string> => {
  const merged = {
    ...options.headers,
    ...prefixed(options.meta ?? {}),
    ...defined(fieldsOf(options))
  }
  const entries = Object.entries(merged).map(([name, value]): readonly [string, string] => [
    name.toLowerCase(),
    value.trim()
  ])
  const problem = entries.map(problemOf).find((problem) => problem !== undefined)
  return problem === undefined
    ? Result.succeed(Object.fromEntries(entries.filter(([name]) => belongsTo(operation, name))))
    : Result.fail(problem)
}

const defined = (fields: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[name, value]]
    )
  )

const prefixed = (meta: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(meta).map(([name, value]) => [`x-oss-meta-${name}`, value]))

const fieldsOf = (options: ObjectOptions): Record<string, string | undefined> => ({
  ...(options.mime !== undefined && { "content-type": options.mime }),
  "x-oss-storage-class": options.storageClass,
  "x-oss-object-acl": options.acl,
  "x-oss-tagging": options.tagging && new URLSearchParams(options.tagging).toString(),
  "x-oss-server-side-encryption": options.serverSideEncryption?.algorithm,
  "x-oss-server-side-encryption-key-id": options.serverSideEncryption?.keyId,
  "x-oss-forbid-overwrite": options.forbidOverwrite === true ? "true" : undefined,
  "x-oss-callback": options.callback && callbackOf(options.callback),
  "x-oss-callback-var": options.callback?.variables && base64(vars(options.callback.variables))
})

const callbackOf = (callback: NonNullable<ObjectOptions["callback"]>) =>
  base64({
    callbackUrl: callback.url,
    callbackHost: callback.host,
    callbackBody: callback.body,
    callbackBodyType: callback.contentType
  })

const vars = (variables: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [`x:${name}`, value]))

const base64 = (json: unknown) => Buffer.from(JSON.stringify(json)).toString("base64")

/** ACL and callback count at the creation of the object, most other headers at the creation of the upload. */
const belongsTo = (operation: "initiate" | "complete" | "put", name: string): boolean => {
  if (operation === "put" || name === "x-oss-forbid-overwrite") return true
  const late = name === "x-oss-object-acl" || name.startsWith("x-oss-callback")
  return late === (operation === "complete")
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

const problemOf = ([name, value]: readonly [string, string]): string | undefined => {
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) return `"${name}" can't be the name of a header`
  if (reserved.has(name)) return `the header "${name}" is set by the client itself`
  // oxlint-disable-next-line no-control-regex -- they are what a header can't carry
  return /[\0-\x08\x0a-\x1f\x7f]|\p{Surrogate}/u.test(value)
    ? `the value of the header "${name}" has a control character or broken text`
    : undefined
}
