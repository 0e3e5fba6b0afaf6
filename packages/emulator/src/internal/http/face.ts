/**
 * The HTTP interface: reads a request, checks its signature, carries it out and
 * writes the answer. An answer may go out before the body has been read. A body
 * that breaks off commits nothing.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { type Call, type Reply, reply } from "../answers/asked.ts"
import { answerTo } from "../answers/table.ts"
import { corsHeaders, preflight, rulesOf, varyOf } from "../cors.ts"
import type { Exchange } from "../exchange.ts"
import type { Credential } from "../../OssEmulator.ts"
import type { CorsRule } from "../state/model.ts"
import type { Verbs } from "../verbs.ts"
import * as Router from "../wire/router.ts"
import { admit } from "./admission.ts"
import { fromWire, type Incoming, respond, respondFailure } from "./respond.ts"

export interface Options {
  readonly exchange: Exchange
  readonly verbs: Verbs
  /** Empty: every request is admitted, signed or not. */
  readonly credentials: ReadonlyArray<Credential>
  readonly region: string | undefined
  /** The rules of buckets that have none of their own. */
  readonly cors: ReadonlyArray<CorsRule>
  readonly call: Call
}

/** Answers one request, wherever it comes from. */
export const make = (
  options: Options
): ((request: Incoming) => Effect.Effect<HttpServerResponse>) => {
  const { exchange, verbs, credentials, region = "cn-hangzhou", cors, call } = options
  const letIn = admit(options)

  const rules = (bucket: string | undefined) =>
    verbs.query((state) => Result.succeed(rulesOf(state, bucket, cors)))

  const corsOf = (bucket: string | undefined, method: string, headers: Router.Head["headers"]) =>
    verbs
      .query((state) =>
        Result.succeed({
          ...varyOf(state, bucket),
          ...corsHeaders(rulesOf(state, bucket, cors), method, headers)
        })
      )
      .pipe(Effect.orDie)

  const checkOrigin = Effect.fnUntraced(function* ({ bucket }: Router.Route, head: Router.Head) {
    if (bucket !== undefined && !verbs.anyBucket) yield* verbs.bucketOf(bucket)
    return reply({
      headers: yield* Effect.fromResult(preflight(yield* rules(bucket), head.headers))
    })
  })

  return Effect.fnUntraced(function* (request: Incoming) {
    const { method, url, headers } = request
    const head: Router.Head = { method, url, headers: mapValues(headers, fromWire) }
    const routed = Router.route(head)
    const asked = Result.getOrElse(routed, (): Router.Route => ({ operation: "other", query: [] }))
    const { operation, bucket, key, uploadId, partNumber } = asked
    return yield* exchange
      .run<Reply, unknown>(
        { operation, bucket, key, uploadId, partNumber },
        Effect.fnUntraced(function* (attempt) {
          const route = yield* Effect.fromResult(routed)
          if (operation === "preflight") return yield* checkOrigin(route, head)
          yield* letIn(attempt, head, route)
          const body = attempt.receive(request.stream)
          return yield* answerTo({ attempt, verbs, head, route, body, call, credentials, region })
        }),
        request.takeSome
      )
      .pipe(
        Effect.result,
        Effect.flatMap((result) =>
          Effect.gen(function* () {
            const { attempt } = Result.isSuccess(result) ? result.success : result.failure
            const shared = {
              request,
              requestId: attempt.requestId,
              now: yield* attempt.now,
              cors: operation === "preflight" ? {} : yield* corsOf(bucket, method, head.headers)
            }
            return yield* Result.isSuccess(result)
              ? Effect.succeed(respond(shared, result.success.answer))
              : respondFailure(shared, result.failure)
          })
        )
      )
  })
}

/** Answers a request of Node's server. */
export const overNode = (face: ReturnType<typeof make>) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    face({
      method: request.method,
      url: request.url,
      headers: request.headers,
      stream: request.stream,
      cut: Effect.sync(() => {
        NodeHttpServerRequest.toIncomingMessage(request).socket.destroy()
      }),
      takeSome: takeSome(request)
    })
  )

/** In bytes: enough for the parts of common uploads and the buffers of both ends. */
const maxTaken = 16 * 1024 * 1024

/** How long a stalled client may wait before the rest of a larger body is read too. */
const patience = "1 minute"

/**
 * Reads and discards more of the connection, because the end of a connection
 * comes after everything that the client has sent. A body larger than
 * `maxTaken` stands still until no client is likely to wait any longer; then it
 * is read to its end too.
 */
const takeSome = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<void> =>
  Effect.suspend(() => {
    let taken = 0
    const rest = NodeStream.fromReadable({
      evaluate: () => NodeHttpServerRequest.toIncomingMessage(request),
      closeOnDone: false
    })
    return rest.pipe(
      Stream.takeWhile((piece) => (taken += piece.length) < maxTaken),
      Stream.runDrain,
      Effect.andThen(Effect.sleep(patience)),
      Effect.andThen(Stream.runDrain(rest)),
      Effect.ignore
    )
  })

const mapValues = (headers: Readonly<Record<string, string>>, f: (value: string) => string) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, f(value)]))
