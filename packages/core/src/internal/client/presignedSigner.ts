/**
 * Somebody who has keys signs the URL of each request.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { PresignRequest } from "../../OssClient.ts"
import { AccessDenied, CredentialsExpired } from "../../OssError.ts"
import type { Request } from "./request.ts"
import { messageOf, type Signer } from "./signer.ts"

export const make = <E>(
  presign: (request: PresignRequest) => Effect.Effect<string | undefined, E>
): Signer => ({
  sign: Effect.fnUntraced(function* (request) {
    const url = yield* Effect.mapError(presign(requestOf(request)), unsigned)
    if (url === undefined) {
      return yield* new AccessDenied({
        description: "whoever signs requests did not sign this one"
      })
    }
    // A URL is signed anew for each attempt: there is nothing to be told that it has expired.
    return { url, headers: request.headers, expired: Effect.void }
  })
})

const requestOf = ({ operation, method, key, query, headers }: Request): PresignRequest => ({
  operation,
  method,
  ...(key === undefined ? {} : { key }),
  query,
  headers: Object.fromEntries(
    Object.entries(headers).filter(([name]) => /^(content-type|content-md5|x-oss-.*)$/.test(name))
  )
})

const unsigned = (error: unknown): CredentialsExpired =>
  new CredentialsExpired({ description: `it was not signed: ${messageOf(error)}` })
