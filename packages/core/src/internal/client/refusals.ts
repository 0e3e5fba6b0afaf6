/**
 * Reads error responses: whether OSS sent them, and what they say.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import type { Operation, Refusal } from "../../OssError.ts"
import { httpDate } from "./httpDate.ts"
import type { Response } from "./responses.ts"
import * as Xml from "./xml.ts"

/** The facts of an error response. `now` is this machine's time, in milliseconds since 1970. */
export const refusalOf = (
  operation: Operation,
  response: Response,
  now: number
): Effect.Effect<Refusal & { readonly requestId: string | undefined }> =>
  Effect.map(errorOf(response), (error = {}) => {
    const { status, headers } = response
    const { Code: code, Message: description, RequestId, ServerTime } = error
    const requestId = headers["x-oss-request-id"] ?? RequestId
    // A page sees `Date` only if the bucket's CORS rule exposes it. OSS's XML has the time too.
    const serverTime = httpDate(headers["date"]) ?? (Date.parse(ServerTime ?? "") || undefined)
    return {
      operation,
      status,
      code: code || undefined,
      description: description || undefined,
      requestId,
      fromOss: requestId !== undefined || Boolean(code),
      server: serverIn(headers),
      retryAfter: retryAfterOf(headers, serverTime ?? now),
      offset: serverTime === undefined ? undefined : serverTime - now
    }
  })

/** The fields of OSS's error XML; undefined if the body is anything else. */
const errorOf = (response: Response): Effect.Effect<Record<string, string> | undefined> => {
  const body = bodyOf(response)
  return body.length === 0
    ? Effect.undefined
    : Xml.parse(body).pipe(
        Effect.map((root) => (root.name === "Error" ? Xml.texts(root) : undefined)),
        Effect.orElseSucceed(() => undefined)
      )
}

/** A response to HEAD has no body: OSS puts the error into a header. */
const bodyOf = ({ headers: { "x-oss-err": header }, body }: Response): Uint8Array =>
  body.length > 0 || header === undefined
    ? body
    : Result.getOrElse(Base64.decode(header), () => body)

const serverIn = ({ server }: Response["headers"]): string | undefined =>
  server === undefined
    ? undefined
    : server.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 80) || undefined

/** In milliseconds: OSS's own header, or the standard one. */
const retryAfterOf = (headers: Response["headers"], now: number): number | undefined => {
  const { "x-oss-qos-delay-time": delay, "retry-after": value } = headers
  if (delay !== undefined && /^\d{1,9}$/.test(delay)) return Number(delay)
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000
  const until = httpDate(value)
  return until === undefined ? undefined : Math.max(0, until - now)
}
