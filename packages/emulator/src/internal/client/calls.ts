/**
 * One request of the interface without I/O, from the checks of a signing server
 * to the error that a client makes of a refusal.
 */
import type { ObjectOptions } from "@effect-oss/core/ObjectOptions"
import * as OssError from "@effect-oss/core/OssError"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Answered, Attempt, Disruption, Exchange, Unread } from "../exchange.ts"
import { maxSkew } from "../signature/claim.ts"
import { type StoreOptions, type Verbs } from "../verbs.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "../wire/errors.ts"
import { storedHeaders } from "../wire/objectHeaders.ts"
import { callbackOf, checkRequest, forbidsOverwrite } from "../wire/requestRules.ts"
import { type About, toError } from "./error.ts"
import { headersOf } from "./headers.ts"

/** Requests to one bucket. */
export const make = (options: {
  readonly bucket: string
  readonly exchange: Exchange
  readonly verbs: Verbs
}) => {
  const { bucket, exchange, verbs } = options

  const call = <A extends Answered, E = never>(
    about: About,
    pieces: Stream.Stream<Uint8Array, E>,
    carryOut: (
      attempt: Attempt,
      received: Stream.Stream<Uint8Array, Unread<E> | Disruption>
    ) => Effect.Effect<A, Refusal | Disruption | Unread<E>>
  ) =>
    exchange
      .run<A, E>({ ...about, bucket }, (attempt) =>
        admit(attempt, verbs, bucket).pipe(
          Effect.andThen(carryOut(attempt, attempt.receive(pieces)))
        )
      )
      .pipe(Effect.mapError((failure) => toError({ ...about, bucket }, failure)))

  /** A request whose body, if it has one, does not matter to the caller. */
  const ask = <A extends Answered>(
    about: About,
    carryOut: (attempt: Attempt) => Effect.Effect<A, Refusal>
  ) =>
    call(about, Stream.empty, (attempt, received) =>
      Effect.andThen(Stream.runDrain(received), carryOut(attempt))
    )

  /** A request with options. Options that HTTP can't carry are refused before the request. */
  const store = <A extends Answered, E = never>(
    about: About & { readonly operation: "initiate" | "complete" | "put" },
    options: ObjectOptions | undefined,
    pieces: Stream.Stream<Uint8Array, E>,
    carryOut: (
      attempt: Attempt,
      options: StoreOptions,
      received: Stream.Stream<Uint8Array, Unread<E> | Disruption>
    ) => Effect.Effect<A, Refusal | Disruption | Unread<E>>
  ) =>
    Effect.fromResult(headersOf(about.operation, options)).pipe(
      Effect.mapError((description) => rejected({ ...about, bucket }, description)),
      Effect.flatMap((headers) =>
        call(about, pieces, (attempt, received) =>
          Effect.flatMap(storeOptions(about.operation, headers), (options) =>
            carryOut(attempt, options, received)
          )
        )
      )
    )

  return { bucket, verbs, call, ask, store }
}

export type Calls = ReturnType<typeof make>

/** There is no query. */
const none = () => undefined

/** The rules that a request over HTTP goes through. Callbacks count as succeeded: there is no I/O. */
const storeOptions = (
  operation: "initiate" | "complete" | "put",
  headers: Readonly<Record<string, string>>
) =>
  Effect.gen(function* () {
    yield* Effect.fromResult(checkRequest(operation, headers, none))
    yield* Effect.fromResult(callbackOf(headers, none))
    const forbidOverwrite = yield* Effect.fromResult(forbidsOverwrite(headers))
    return { headers: storedHeaders(headers), forbidOverwrite }
  })

const rejected = (about: About & { readonly bucket: string }, description: string) =>
  new OssError.OssError({
    operation: about.operation,
    bucket: about.bucket,
    ...(about.key === undefined ? {} : { key: about.key }),
    reason: new OssError.Rejected({ description })
  })

/** The first checks of a signing server. */
const admit = (attempt: Attempt, verbs: Verbs, bucket: string) =>
  Math.abs(attempt.skew) > maxSkew
    ? Effect.fail(refuse("RequestTimeTooSkewed"))
    : verbs.admitBucket(bucket)
