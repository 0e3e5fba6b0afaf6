/**
 * The methods of an `OssClient` over HTTP: they build, sign, send and read.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Body } from "../../Body.ts"
import type { OssClient } from "../../OssClient.ts"
import {
  CredentialsExpired,
  type Operation,
  OssError,
  type Reason,
  reasonOf,
  Rejected,
  UnreadableResponse
} from "../../OssError.ts"
import type { Connection } from "./endpoint.ts"
import * as Span from "../span.ts"
import { refusalOf } from "./refusals.ts"
import * as Request from "./request.ts"
import * as Responses from "./responses.ts"
import type { Signed, Signer } from "./signer.ts"
import { carry } from "./transport.ts"

interface Parts {
  readonly connection: Connection
  readonly http: HttpClient
  readonly signer: Signer
}

export const make = ({ connection, http, signer }: Parts): OssClient["Service"] => {
  const { bucket, endpoint } = connection
  const send = sender(bucket, http, signer)
  const ask: <A>(call: Call<A>) => Effect.Effect<A, OssError> = send
  const told = crc64Told()
  return {
    endpoint,
    bucket,
    ...stored(connection, ask),

    initiate: (key, options) =>
      ask({
        about: { operation: "initiate", key },
        request: Request.initiate(connection, key, options),
        read: Responses.initiated
      }),

    uploadPart: ({ key, uploadId, number, body }) =>
      send({
        about: { operation: "uploadPart", key, partNumber: number },
        request: Request.uploadPart(connection, key, uploadId, number, body.size),
        body,
        read: told(Responses.partReceipt)
      }),

    listParts: ({ key, uploadId, after }) =>
      ask({
        about: { operation: "listParts", key },
        request: Request.listParts(connection, key, uploadId, after),
        read: Responses.partPage(after)
      }),

    complete: ({ key, uploadId, parts, options }) => {
      const request = Request.complete(connection, key, uploadId, parts, options)
      const withCallback = Result.isSuccess(request) && "x-oss-callback" in request.success.headers
      return ask({
        about: { operation: "complete", key },
        request,
        read: Responses.completed(withCallback)
      })
    },

    abort: ({ key, uploadId }) =>
      ask({
        about: { operation: "abort", key },
        request: Request.abort(connection, key, uploadId),
        read: Responses.nothing
      }),

    listUploads: ({ prefix, after }) =>
      ask({
        about: { operation: "listUploads" },
        request: Request.listUploads(connection, prefix, after),
        read: Responses.uploadPage(after)
      }),

    put: ({ key, body, options }) =>
      send({
        about: { operation: "put", key },
        request: Request.put(connection, key, body.size, options),
        body,
        read: told(Responses.objectReceipt)
      })
  }
}

/** The methods for stored objects. */
const stored = (connection: Connection, ask: <A>(call: Call<A>) => Effect.Effect<A, OssError>) =>
  ({
    head: (key) =>
      ask({
        about: { operation: "head", key },
        request: Request.head(connection, key),
        read: Responses.objectHead
      }),

    listObjects: ({ prefix, delimiter, after }) =>
      ask({
        about: { operation: "listObjects" },
        request: Request.listObjects(connection, prefix, delimiter, after),
        read: Responses.objectPage(after)
      }),

    delete: (key) =>
      ask({
        about: { operation: "delete", key },
        request: Request.remove(connection, key),
        read: Responses.nothing
      })
  }) satisfies Partial<OssClient["Service"]>

/** The subject of a request, known even if the request can't be made. */
interface About {
  readonly operation: Operation
  readonly key?: string
  readonly partNumber?: number
}

interface Call<A, E = never> {
  readonly about: About
  readonly request: Request.Made
  readonly body?: Body<E>
  readonly read: Responses.Read<A>
}

/**
 * Sends one request. It learns only from failed responses: the clock's offset,
 * and that keys have expired.
 */
const sender = (bucket: string, http: HttpClient, signer: Signer) => {
  /** The server's time less this machine's, in milliseconds. */
  let offset = 0

  const refused = Effect.fnUntraced(function* (
    about: About,
    response: Responses.Response,
    signed: Signed,
    now: number
  ) {
    const refusal = yield* refusalOf(about.operation, response, now)
    const reason = yield* renewable(reasonOf(refusal), signed)
    if (reason._tag === "ClockSkew") offset = reason.offset
    if (reason._tag === "CredentialsExpired") yield* signed.expired
    return failure(bucket, about, reason, refusal)
  })

  return <A, E>({
    about,
    request: made,
    body,
    read
  }: Call<A, E>): Effect.Effect<A, OssError | E> => {
    const failed = (reason: Reason, facts?: Facts) => failure(bucket, about, reason, facts)
    if (Result.isFailure(made)) {
      return Effect.fail(failed(new Rejected({ description: made.failure })))
    }
    const request = made.success
    const answered = (signed: Signed) => (response: Responses.Response) => {
      const { status, headers } = response
      return status === (isRemoval(about) ? 204 : 200)
        ? Effect.mapError(read(response), ({ message: description }) =>
            failed(new UnreadableResponse({ description }), {
              status,
              requestId: headers["x-oss-request-id"]
            })
          )
        : Effect.flatMap(Clock.currentTimeMillis, (now) =>
            Effect.flatten(refused(about, response, signed, now))
          )
    }
    const exchange = (signed: Signed) =>
      Effect.flatMap(
        Effect.tap(carry(http, request, signed, body, failed), annotateResponse),
        answered(signed)
      )
    const signedAndSent = Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.matchEffect(signer.sign(request, now + offset), {
        onFailure: (reason) => Effect.fail(failed(reason)),
        onSuccess: exchange
      })
    )
    return Span.within(signedAndSent, `OssClient.${request.operation}`, () =>
      attributesOf(bucket, request)
    )
  }
}

const isRemoval = ({ operation }: About) => operation === "abort" || operation === "delete"

/**
 * OSS may not know temporary keys that have expired. If the signer has others, the
 * reason becomes `CredentialsExpired`, which is retried.
 */
const renewable = (reason: Reason, signed: Signed): Effect.Effect<Reason> => {
  const isOfKeys = reason._tag === "AccessDenied" && codesOfUnknownKeys.has(reason.code ?? "")
  return isOfKeys
    ? Effect.map(signed.unknown, (areOthers) =>
        areOthers ? new CredentialsExpired({ description: reason.description }) : reason
      )
    : Effect.succeed(reason)
}

const codesOfUnknownKeys: ReadonlySet<string> = new Set([
  "InvalidAccessKeyId",
  "InvalidSecurityToken"
])

/** An endpoint sends a CRC64 for each body or for none. After one, a response without it fails. */
const crc64Told = () => {
  let isTold = false
  return <A extends { readonly crc64: Option.Option<bigint> }>(
    read: Responses.Read<A>
  ): Responses.Read<A> =>
    (response) =>
      Effect.flatMap(read(response), (receipt) => {
        if (Option.isSome(receipt.crc64)) isTold = true
        else if (isTold) {
          return Effect.fail({
            message: "it has no CRC64, but earlier responses of this endpoint had one"
          })
        }
        return Effect.succeed(receipt)
      })
}

/** Uses OpenTelemetry's names where they exist. */
const attributesOf = (bucket: string, { operation, method, key, partNumber }: Request.Request) => ({
  "oss.operation": operation,
  "oss.bucket": bucket,
  "http.request.method": method,
  ...(key === undefined ? {} : { "oss.key": key }),
  ...(partNumber === undefined ? {} : { "oss.part_number": partNumber })
})

const annotateResponse = ({ status, headers }: Responses.Response) =>
  Span.annotate(() => ({
    "http.response.status_code": status,
    ...("x-oss-request-id" in headers ? { "oss.request_id": headers["x-oss-request-id"] } : {})
  }))

interface Facts {
  readonly status?: number | undefined
  readonly code?: string | undefined
  readonly requestId?: string | undefined
}

const failure = (
  bucket: string,
  about: About,
  reason: Reason,
  { status, code, requestId }: Facts = {}
): OssError =>
  new OssError({
    ...about,
    bucket,
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code }),
    ...(requestId === undefined ? {} : { requestId }),
    reason
  })
