/**
 * The methods of an `OssClient` over HTTP: sign, carry, understand, classify.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import * as Result from "effect/Result"
import type { Body } from "../../Body.ts"
import * as ObjectKey from "../../ObjectKey.ts"
import type { OssClient } from "../../OssClient.ts"
import type { Credentials, Provider } from "../../OssCredentials.ts"
import {
  CredentialsExpired,
  type Operation,
  OssError,
  type Reason,
  reasonOf,
  Rejected,
  UnreadableResponse
} from "../../OssError.ts"
import * as AliOss from "./aliOss.ts"
import * as Answers from "./responses.ts"
import type { Connection } from "./endpoint.ts"
import { headersFor } from "./objectHeaders.ts"
import { carry } from "./transport.ts"

interface Parts {
  readonly connection: Connection
  readonly http: HttpClient
  readonly keys: Provider<unknown>
  readonly signer: AliOss.Signer<Reason>
}

interface Request<A, E = never> {
  readonly operation: Operation
  readonly key?: string
  readonly partNumber?: number
  /** Or why there can be none. */
  readonly call: Result.Result<AliOss.Call, string>
  readonly body?: Body<E>
  readonly read: Answers.Read<A>
}

export const make = (parts: Parts): OssClient["Service"] => {
  const send = sender(parts)
  const ask: <A>(request: Request<A>) => Effect.Effect<A, OssError> = send
  return {
    endpoint: parts.connection.endpoint,
    bucket: parts.connection.bucket,

    initiate: Effect.fn("OssClient.initiate")((key, options) =>
      ask({
        operation: "initiate",
        key,
        call: Result.map(headersFor("initiate", options), (headers) =>
          AliOss.initiate(key, headers)
        ),
        read: Answers.initiated
      })
    ),

    uploadPart: Effect.fn("OssClient.uploadPart")(({ key, uploadId, number, body }) =>
      send({
        operation: "uploadPart",
        key,
        partNumber: number,
        call: Result.succeed(AliOss.uploadPart(key, uploadId, number, body.size)),
        body,
        read: Answers.partReceipt
      })
    ),

    listParts: Effect.fn("OssClient.listParts")(({ key, uploadId, after }) =>
      ask({
        operation: "listParts",
        key,
        call: Result.succeed(AliOss.listParts(key, uploadId, after)),
        read: Answers.partPage(after)
      })
    ),

    complete: Effect.fn("OssClient.complete")(({ key, uploadId, parts, options }) =>
      ask({
        operation: "complete",
        key,
        call: Result.map(headersFor("complete", options), (headers) =>
          AliOss.complete(key, uploadId, parts, headers)
        ),
        read: Answers.completed
      })
    ),

    abort: Effect.fn("OssClient.abort")(({ key, uploadId }) =>
      ask({
        operation: "abort",
        key,
        call: Result.succeed(AliOss.abort(key, uploadId)),
        read: Answers.nothing
      })
    ),

    listUploads: Effect.fn("OssClient.listUploads")(({ prefix, after }) =>
      ask({
        operation: "listUploads",
        call: Result.succeed(
          AliOss.listUploads({
            prefix,
            "key-marker": after?.key,
            "upload-id-marker": after?.uploadId
          })
        ),
        read: Answers.uploadPage
      })
    ),

    head: Effect.fn("OssClient.head")((key) =>
      ask({
        operation: "head",
        key,
        call: Result.succeed(AliOss.head(key)),
        read: Answers.objectHead
      })
    ),

    put: Effect.fn("OssClient.put")(({ key, body, options }) =>
      send({
        operation: "put",
        key,
        call: Result.map(headersFor("put", options), (headers) =>
          AliOss.put(key, body.size, headers)
        ),
        body,
        read: Answers.objectReceipt
      })
    )
  }
}

const sender = ({ connection, http, keys, signer }: Parts) => {
  /** The server's time less this machine's, in milliseconds. */
  let offset = 0

  /** What is to be remembered of a refusal, so that the next request fares better. */
  const learn = (reason: Reason, used: Credentials) => {
    if (reason._tag === "ClockSkew") offset = reason.offset
    return reason._tag === "CredentialsExpired" ? keys.expired(used) : Effect.void
  }

  return Effect.fnUntraced(function* <A, E>(
    request: Request<A, E>
  ): Effect.fn.Return<A, OssError | E> {
    const failed = failureOf(connection.bucket, request)
    yield* annotate(connection.bucket, request)
    const call = yield* Effect.fromResult(prepare(request)).pipe(
      Effect.mapError((description) => failed(new Rejected({ description })))
    )
    const used = yield* Effect.mapError(keys.current, (error) => failed(withoutKeys(error)))
    const { signed, understand } = yield* Effect.mapError(
      signer.sign(call, used, offset, request),
      failed
    )
    const answer = Answers.withErrorBody(yield* carry(http, signed, request.body, failed))
    yield* annotateAnswer(answer)
    const understood = yield* understand(answer)
    const now = yield* Clock.currentTimeMillis
    const refusal = Answers.refusalOf(request.operation, answer, understood, now)
    if (answer.status !== (request.operation === "abort" ? 204 : 200)) {
      const reason = reasonOf(refusal)
      yield* learn(reason, used)
      return yield* failed(reason, refusal)
    }
    return yield* Answers.readWith(request.read, answer, understood).pipe(
      Effect.mapError(({ message: description }) =>
        failed(new UnreadableResponse({ description }), { ...refusal, code: undefined })
      )
    )
  })
}

/** An empty key would name the bucket, and a `..` another object. */
const prepare = ({ key, call }: Request<unknown, unknown>): Result.Result<AliOss.Call, string> =>
  key === undefined
    ? call
    : Result.flatMap(
        Result.mapError(ObjectKey.validate(key), (invalid) => invalid.message),
        () => call
      )

const withoutKeys = (error: unknown): CredentialsExpired =>
  new CredentialsExpired({
    description: `there are no new keys: ${error instanceof Error ? error.message : String(error)}`
  })

const annotate = (bucket: string, { operation, key, partNumber }: Request<unknown, unknown>) =>
  Effect.annotateCurrentSpan({
    "oss.operation": operation,
    "oss.bucket": bucket,
    ...(key === undefined ? {} : { "oss.key": key }),
    ...(partNumber === undefined ? {} : { "oss.part_number": partNumber })
  })

const annotateAnswer = ({ status, headers }: AliOss.Answer) =>
  Effect.annotateCurrentSpan({
    "http.response.status_code": status,
    ...("x-oss-request-id" in headers ? { "oss.request_id": headers["x-oss-request-id"] } : {})
  })

interface Facts {
  readonly status?: number | undefined
  readonly code?: string | undefined
  readonly requestId?: string | undefined
}

const failureOf =
  (bucket: string, { operation, key, partNumber }: Request<unknown, unknown>) =>
  (reason: Reason, { status, code, requestId }: Facts = {}): OssError =>
    new OssError({
      operation,
      bucket,
      ...(key === undefined ? {} : { key }),
      ...(partNumber === undefined ? {} : { partNumber }),
      ...(status === undefined ? {} : { status }),
      ...(code === undefined ? {} : { code }),
      ...(requestId === undefined ? {} : { requestId }),
      reason
    })
