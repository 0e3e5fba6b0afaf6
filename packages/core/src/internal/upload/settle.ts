/**
 * Settles ambiguous requests: if the response to a request that creates the object
 * is lost, the stored object decides.
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

/** A whole source. */
export interface Whole {
  /** In bytes. */
  readonly size: number
  /** CRC-64/XZ of all its bytes. */
  readonly crc64: bigint
}

/** A stored object with the content of the source. */
export interface Stored extends Whole {
  readonly etag: string
  /** False if OSS doesn't return the object's CRC64. */
  readonly verified: boolean
  readonly versionId: Option.Option<string>
}

/** The object stored under the key. None if there is none, or if RAM forbids HEAD. */
export const headOf = (requests: Requests): Effect.Effect<Option.Option<ObjectHead>, OssError> =>
  request(requests, "head", requests.client.head(requests.key)).pipe(
    Effect.asSome,
    Effect.catchReason("OssError", "NoSuchKey", () => Effect.succeedNone),
    Effect.catchReason("OssError", "AccessDenied", () => Effect.succeedNone)
  )

/** The object stored under the key, if it has the expected size and CRC64. */
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
 * The same, repeated for a minute: OSS may still be running a Complete whose
 * response was lost, and no longer know the upload id.
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

/** The number of repeats, with waits of 1, 2, 4, … seconds: about a minute in all. */
const completionLooks = 6

type Failure = OssError | SourceError

/** Watches each attempt at a request. */
export type Observe = <A>(attempt: Effect.Effect<A, Failure>) => Effect.Effect<A, Failure>

/**
 * Runs a request that creates the object. If its response is lost, or a second
 * attempt finds nothing left to do, the stored object decides.
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
    // The retries have already waited for a server that is down, so it is asked once.
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
