/**
 * Settles ambiguous requests: where the response to a request that makes the
 * object was lost, the stored object decides.
 */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { OssError } from "../../OssError.ts"
import type { ObjectHead } from "../../OssModel.ts"
import type { SourceError } from "../../Source.ts"
import type { Requests } from "./request.ts"
import { request } from "./request.ts"

/** All bytes of a source. */
export interface Whole {
  /** In bytes. */
  readonly size: number
  /** CRC-64/XZ of them. */
  readonly crc64: bigint
}

/** An object that is stored, and is what the source held. */
export interface Stored extends Whole {
  readonly etag: string
  /** False where OSS doesn't tell the object's CRC64. */
  readonly verified: boolean
  readonly versionId: Option.Option<string>
}

/** What is stored under the key; none if there is nothing, or RAM forbids to look. */
export const headOf = (requests: Requests): Effect.Effect<Option.Option<ObjectHead>, OssError> =>
  request(requests, "head", requests.client.head(requests.key)).pipe(
    Effect.asSome,
    Effect.catchReason("OssError", "NoSuchKey", () => Effect.succeedNone),
    Effect.catchReason("OssError", "AccessDenied", () => Effect.succeedNone)
  )

/** What is stored under the key, if it is `expected` to the last bit. */
export const stored = (
  requests: Requests,
  expected: Whole
): Effect.Effect<Option.Option<Stored>, OssError> =>
  Effect.map(headOf(requests), (head) =>
    Option.flatMap(head, ({ size, etag, crc64 }) =>
      size === expected.size && Option.contains(crc64, expected.crc64)
        ? Option.some({ ...expected, etag, verified: true, versionId: Option.none() })
        : Option.none()
    )
  )

/**
 * The same, looked for again and again for a minute: OSS may still be carrying
 * out a Complete whose response was lost, and no longer knows the upload id.
 */
export const storedSoon = (
  requests: Requests,
  expected: Whole
): Effect.Effect<Option.Option<Stored>, OssError> =>
  Effect.repeat(stored(requests, expected), {
    schedule: Schedule.exponential("1 second"),
    times: completionLooks,
    until: Option.isSome
  })

/** With waits of 1, 2, 4, … seconds: a minute in all. */
const completionLooks = 6

type Failure = OssError | SourceError

/** Watches each attempt at a request. */
export type Observe = <A>(attempt: Effect.Effect<A, Failure>) => Effect.Effect<A, Failure>

/**
 * Runs a request that makes the object. If its response was lost, or a second
 * attempt finds that there is nothing left to do, the stored object decides.
 */
export const settled = <A>(
  requests: Requests,
  expected: Effect.Effect<Whole, SourceError>,
  run: (observe: Observe) => Effect.Effect<A, Failure>
): Effect.Effect<A | Stored, Failure> => {
  let responseLost = false
  const observe: Observe = (attempt) =>
    Effect.tapError(attempt, (error) =>
      Effect.sync(() => (responseLost ||= error._tag === "OssError" && error.isAmbiguous))
    )
  const look = (error: OssError, whole: Whole) => {
    // A server that is down has been waited for already: it is asked once.
    if (error.isAmbiguous) return stored({ ...requests, retrying: identity }, whole)
    return responseLost ? storedSoon(requests, whole) : stored(requests, whole)
  }
  const settle = (error: OssError): Effect.Effect<Stored, Failure> =>
    Effect.matchEffect(
      Effect.flatMap(expected, (whole) => look(error, whole)),
      {
        onFailure: () => Effect.fail(error),
        onSuccess: Option.match({ onNone: () => Effect.fail(error), onSome: Effect.succeed })
      }
    )
  return Effect.catchIf(
    run(observe),
    (error): error is OssError => isDoubtful(error, responseLost),
    settle
  )
}

const isDoubtful = (error: Failure, responseLost: boolean): boolean =>
  error._tag === "OssError" &&
  (error.isAmbiguous ||
    error.reason._tag === "NoSuchUpload" ||
    (error.reason._tag === "AlreadyExists" && responseLost))
