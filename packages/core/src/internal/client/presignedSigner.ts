/**
 * Gets a presigned URL for each request from `sign` of `OssClient.layerPresigned`.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { PresignRequest } from "../../OssClient.ts"
import { AccessDenied, type CredentialsExpired } from "../../OssError.ts"
import type { Request } from "./request.ts"
import { faultOf, lasting, messageOf, type Signer, unavailable } from "./signer.ts"

export const make = <E>(
  presign: (request: PresignRequest) => Effect.Effect<string | undefined, E>
): Signer => ({
  sign: Effect.fnUntraced(function* (request) {
    const url = yield* Effect.mapError(presign(requestOf(request)), unsigned)
    if (url === undefined) {
      return yield* new AccessDenied({
        description: "the signer did not sign this request"
      })
    }
    // Each attempt gets a new URL, so there is nothing to renew.
    return { url, headers: request.headers, ...lasting }
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

/** A refusal by the signer counts as one by OSS. Any other error is retried. */
const unsigned = (error: unknown): CredentialsExpired | AccessDenied => {
  const description = `it was not signed: ${messageOf(error)}`
  const fault = faultOf(error)
  return fault === "refusal"
    ? new AccessDenied({ description })
    : unavailable(description, fault === "outage")
}
