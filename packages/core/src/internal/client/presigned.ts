/**
 * Requests whose signature is in their URL, from somebody who has keys. ali-oss
 * writes them as ever; what it signs them with is dropped.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { PresignRequest } from "../../OssClient.ts"
import type { Credentials, Provider } from "../../OssCredentials.ts"
import { AccessDenied, CredentialsExpired, type Rejected } from "../../OssError.ts"
import type { Signed, Signer, Subject } from "./aliOss.ts"

/** ali-oss signs with something. */
export const noKeys: Provider = {
  current: Effect.succeed<Credentials>({
    accessKeyId: "presigned",
    accessKeySecret: Redacted.make("presigned")
  }),
  expired: () => Effect.void
}

export const signer = <E>(
  { sign }: Signer,
  presign: (request: PresignRequest) => Effect.Effect<string | undefined, E>
): Signer<Rejected | AccessDenied | CredentialsExpired> => ({
  sign: Effect.fnUntraced(function* (call, keys, offset, subject) {
    const { signed, understand } = yield* sign(call, keys, offset, subject)
    const headers = withoutSignature(signed.headers)
    const url = yield* Effect.mapError(presign(requestOf(signed, headers, subject)), unsigned)
    if (url === undefined) {
      return yield* new AccessDenied({
        description: "whoever signs requests did not sign this one"
      })
    }
    return { signed: { ...signed, url, headers }, understand }
  })
})

/** The URL has its own, and may lead to another host. */
const signature: ReadonlySet<string> = new Set([
  "authorization",
  "date",
  "host",
  "x-oss-content-sha256",
  "x-oss-date"
])

const withoutSignature = (headers: Signed["headers"]): Signed["headers"] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !signature.has(name)))

const requestOf = (
  { method, url }: Signed,
  headers: Signed["headers"],
  { operation, key }: Subject
): PresignRequest => ({
  operation,
  method,
  ...(key === undefined ? {} : { key }),
  query: Object.fromEntries(
    Array.from(new URL(url).searchParams, ([name, value]) => [name, value === "" ? null : value])
  ),
  headers: Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => isSigned(name))
      .map(([name, value]) => [name, textOf(value)])
  )
})

const isSigned = (name: string): boolean => /^(content-type|content-md5|x-oss-.*)$/.test(name)

/** Headers are carried as bytes, one a character; they are signed as the text that they are in UTF-8. */
const textOf = (carried: string): string =>
  new TextDecoder().decode(Uint8Array.from(carried, (byte) => byte.charCodeAt(0)))

const unsigned = (error: unknown): CredentialsExpired =>
  new CredentialsExpired({
    description: `it was not signed: ${error instanceof Error ? error.message : String(error)}`
  })
