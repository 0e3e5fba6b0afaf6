/**
 * Makes the requests about one key. Each attempt is measured, and stopped when it
 * takes too long. A failed request is sent again if that may help.
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

/** The client and the options of requests about one key. */
export interface Requests {
  readonly client: OssClient["Service"]
  readonly key: string
  readonly retrying: Retrying
  readonly stallTimeout: Duration.Duration
}

/** A Complete of 10,000 parts takes long, and no bytes move meanwhile. */
const completeTimeout = Duration.minutes(5)

/** Makes the error of a problem that this library found, not OSS. */
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
    // The request waits behind the parts in flight.
    const millis = Math.round(Duration.toMillis(least) + line.patience())
    const late = () => Effect.fail(failure(requests, operation, new Timeout({ millis })))
    return Effect.timeoutOrElse(send, { duration: Duration.millis(millis), orElse: late })
  })

/** Makes a request without a body, with a time limit and with retries. */
export const request = <A, E>(
  requests: Requests,
  operation: Operation,
  send: Effect.Effect<A, E>
): Effect.Effect<A, E | OssError> => requests.retrying(once(requests, operation, send))

/** The result of sending a body. */
export interface Transferred<A> {
  readonly receipt: A
  /** CRC-64/XZ of the bytes that were sent. */
  readonly crc64: bigint
}

/**
 * Makes one attempt at a request with a body, and stops it when it stalls. As the
 * bytes are sent, it computes their CRC64, tells the line that they move, and
 * counts the progress of the upload.
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
