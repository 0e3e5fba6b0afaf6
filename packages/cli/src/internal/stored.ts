/** Looks at stored objects, with the retries of an upload. */
import * as ObjectKey from "@effect-oss/core/internal/objectKey"
import { OssClient } from "@effect-oss/core/OssClient"
import type { OssError } from "@effect-oss/core/OssError"
import type { ObjectHead } from "@effect-oss/core/OssModel"
import * as RetryPolicy from "@effect-oss/core/RetryPolicy"
import * as Effect from "effect/Effect"
import type { InvalidRequest } from "@effect-oss/core/UploadError"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Age from "./Age.ts"
import { NotStored, UsageError } from "./CliFailure.ts"
import * as ObjectUrl from "./ObjectUrl.ts"

/** Retries a request until it succeeds or can't succeed. */
export interface Again {
  <A>(request: Effect.Effect<A, OssError>): Effect.Effect<A, OssError>
}

/** The retries of one request, for as long as `--retry-for` says. */
export const patiently = Effect.fnUntraced(function* (retryFor: string) {
  const patience = yield* Effect.fromResult(Age.parse("--retry-for", retryFor))
  const schedule = RetryPolicy.patient({ for: patience })
  const again: Again = Effect.retry({ schedule, while: ({ isRetryable }) => isRetryable })
  return again
})

/** Looks at an object. None if it doesn't exist. */
export const lookingFor = Effect.fnUntraced(function* (retryFor: string) {
  const again = yield* patiently(retryFor)
  const client = yield* OssClient
  return (key: string): Effect.Effect<Option.Option<ObjectHead>, OssError> =>
    again(client.head(key)).pipe(
      Effect.asSome,
      Effect.catchIf(
        ({ reason }) => reason._tag === "NoSuchKey",
        () => Effect.succeedNone
      )
    )
})

/** Looks at the named object. Fails if it doesn't exist. */
export const objectAt = (text: string) =>
  Result.flatMap(
    ObjectUrl.parse(text),
    (url): Result.Result<ObjectUrl.ObjectUrl, UsageError | InvalidRequest> =>
      url.key === ""
        ? Result.fail(
            new UsageError({
              problem: `"${text}" does not say which object`,
              remedy: "give the whole key"
            })
          )
        : Result.map(ObjectKey.validate(url.key), () => url)
  )

export const nothingAt = ({ bucket, key }: ObjectUrl.ObjectUrl) =>
  new NotStored({
    problem: `there is no object oss://${bucket}/${key}`,
    remedy: "check the key, and the endpoint (--endpoint, OSS_ENDPOINT or the region)"
  })
