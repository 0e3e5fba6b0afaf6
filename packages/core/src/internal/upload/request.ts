/**
 * How the requests about one key are made: each attempt is measured, and given
 * up when it takes too long; a failed one is sent again where that may help.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Body } from "../../Body.ts"
import * as Crc64 from "../../Crc64.ts"
import type { OssClient } from "../../OssClient.ts"
import type { Operation, Reason } from "../../OssError.ts"
import { OssError, Stalled, Timeout } from "../../OssError.ts"
import * as Bodies from "../body.ts"
import * as Line from "./line.ts"
import * as Metrics from "./metrics.ts"
import * as Progress from "./progress.ts"
import type { Retrying } from "./retry.ts"

/** What requests about one key are made with. */
export interface Requests {
  readonly client: OssClient["Service"]
  readonly key: string
  readonly retrying: Retrying
  readonly stallTimeout: Duration.Duration
}

/** Complete of 10,000 parts takes its time, and nothing moves while it does. */
const completeTimeout = Duration.minutes(5)

/** Makes an error of what this side noticed, not OSS. */
export const failure = (
  { client, key }: Pick<Requests, "client" | "key">,
  operation: Operation,
  reason: Reason,
  partNumber?: number
): OssError =>
  new OssError({
    operation,
    bucket: client.bucket,
    key,
    ...(partNumber === undefined ? {} : { partNumber }),
    reason
  })

/** Makes one attempt at a request without a body, with a time limit. */
export const once = <A, E>(
  requests: Requests,
  operation: Operation,
  send: Effect.Effect<A, E>
): Effect.Effect<A, E | OssError> =>
  Effect.suspend(() => {
    const line = Line.of(requests.client)
    const least = operation === "complete" ? completeTimeout : requests.stallTimeout
    // It waits behind the parts that are on their way.
    const millis = Math.round(Duration.toMillis(least) + line.patience())
    const late = () => Effect.fail(failure(requests, operation, new Timeout({ millis })))
    return Effect.timeoutOrElse(send, { duration: Duration.millis(millis), orElse: late })
  })

/** Makes a request without a body: with a time limit, and again where that may help. */
export const request = <A, E>(
  requests: Requests,
  operation: Operation,
  send: Effect.Effect<A, E>
): Effect.Effect<A, E | OssError> => requests.retrying(once(requests, operation, send))

/** What came of sending a body. */
export interface Transferred<A> {
  readonly receipt: A
  /** Of the bytes that were sent. */
  readonly crc64: bigint
}

/**
 * Makes one attempt at a request with a body, given up when nothing moves any
 * more. All that watches the bytes on their way is here: their CRC64, their
 * movement on the line, and the progress of the upload.
 */
export const transfer = <A, E, E2>(
  requests: Requests & { readonly counter: Progress.Counter },
  operation: Operation,
  partNumber: number | undefined,
  source: Body<E>,
  send: (body: Body<E>) => Effect.Effect<A, E2>
): Effect.Effect<Transferred<A>, E2 | OssError> => {
  const { client, counter, stallTimeout } = requests
  const onStall = (millis: number) =>
    failure(requests, operation, new Stalled({ millis }), partNumber)
  return Metrics.transfer(
    client.bucket,
    Line.of(client).carry(stallTimeout, onStall, (reached) => {
      let crc64 = 0n
      const body = Bodies.watched(
        source,
        (piece, at) => {
          crc64 = Crc64.of(piece, at === 0 ? 0n : crc64)
        },
        (at, bytes) => {
          reached(at + bytes)
          Progress.sending(counter, partNumber ?? 1, at, bytes)
        }
      )
      return Effect.map(send(body), (receipt) => ({ receipt, crc64 }))
    })
  )
}
