/**
 * How the requests about one key are made: each attempt is measured, and given
 * up when it takes too long; a failed one is sent again where that may help.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { OssClient } from "../../OssClient.ts"
import type { Operation, Reason } from "../../OssError.ts"
import { OssError, Stalled, Timeout } from "../../OssError.ts"
import * as Line from "./line.ts"
import * as Metrics from "./metrics.ts"
import type { Retrying } from "./retry.ts"
import * as Stall from "./stall.ts"

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
    const millis = Math.round(Duration.toMillis(least) + line.timeFor(line.underWay()))
    const late = () => Effect.fail(failure(requests, operation, new Timeout({ millis })))
    return Effect.timeoutOrElse(send, { duration: Duration.millis(millis), orElse: late })
  })

/** Makes a request without a body: with a time limit, and again where that may help. */
export const request = <A, E>(
  requests: Requests,
  operation: Operation,
  send: Effect.Effect<A, E>
): Effect.Effect<A, E | OssError> => requests.retrying(once(requests, operation, send))

/** Makes one attempt at a request with a body, given up when nothing moves any more. */
export const transfer = <A, E>(
  requests: Requests,
  operation: Operation,
  partNumber: number | undefined,
  send: (reached: (bytes: number) => void) => Effect.Effect<A, E>
): Effect.Effect<A, E | OssError> =>
  Metrics.transfer(
    requests.client.bucket,
    Stall.guard(
      Line.of(requests.client),
      requests.stallTimeout,
      (millis) => failure(requests, operation, new Stalled({ millis }), partNumber),
      send
    )
  )
