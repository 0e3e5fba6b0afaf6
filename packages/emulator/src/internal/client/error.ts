/**
 * Turns a failed request into the `OssError` that a real client would make of
 * the answer or the broken connection.
 */
import * as OssError from "@effect-oss/core/OssError"
import { lookup } from "../wire/errors.ts"
import type * as Script from "../script.ts"
import type { Failure } from "../exchange.ts"

/** The subject of a client's request. */
export type About = Script.Matcher & { readonly operation: OssError.Operation }

/** An error of the body itself stays unchanged. */
export const toError = <E>(
  { operation, bucket, key, partNumber }: About & { readonly bucket: string },
  { error, attempt: { requestId, skew } }: Failure<E>
): OssError.OssError | E => {
  const make = (fields: {
    readonly reason: OssError.Reason
    readonly status?: number
    readonly code?: string
    readonly requestId?: string
  }) =>
    new OssError.OssError({
      operation,
      bucket,
      ...(key === undefined ? {} : { key }),
      ...(partNumber === undefined ? {} : { partNumber }),
      ...fields
    })
  switch (error._tag) {
    case "Unread":
      return error.cause
    case "Cut":
      return make({ reason: new OssError.Transport({ description: "the connection was reset" }) })
    case "Refusal": {
      const { status, code, message: description } = error
      const reason = OssError.reasonOf({ operation, status, code, description, offset: skew })
      return make({ status, code, requestId, reason })
    }
    case "Scripted": {
      const { status } = error.answer
      return make({ status, requestId, ...interpret(operation, error.answer, skew) })
    }
  }
}

/** Reads a scripted answer as a client would. */
const interpret = (operation: OssError.Operation, answer: Script.Answer, offset: number) => {
  const { status, headers, body } = answer
  const seconds = Number(
    Object.entries(headers).find(([name]) => name.toLowerCase() === "retry-after")?.[1]
  )
  const wait = Number.isFinite(seconds) ? { retryAfter: seconds * 1000 } : {}
  if (body._tag === "Error") {
    const { code } = body
    const description = lookup(code)?.message
    const refusal = { operation, status, code, description, offset, ...wait }
    return { code, reason: OssError.reasonOf(refusal) }
  }
  return {
    reason:
      status >= 200 && status < 300 && status !== 203
        ? new OssError.UnreadableResponse({ description: `not what OSS answers: ${body.text}` })
        : OssError.reasonOf({ operation, status, ...wait })
  }
}
