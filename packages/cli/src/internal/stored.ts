/** Looks at what is stored, as patiently as an upload. */
import { OssClient } from "@effect-oss/core/OssClient"
import type { OssError } from "@effect-oss/core/OssError"
import type { ObjectHead } from "@effect-oss/core/OssModel"
import * as RetryPolicy from "@effect-oss/core/RetryPolicy"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Age from "./Age.ts"
import { NotStored } from "./CliFailure.ts"
import type { ObjectUrl } from "./ObjectUrl.ts"

/** How to look at an object; none if there is none. */
export const lookingFor = Effect.fnUntraced(function* (retryFor: string) {
  const patience = yield* Effect.fromResult(Age.parse("--retry-for", retryFor))
  const schedule = RetryPolicy.patient({ for: patience })
  const client = yield* OssClient
  return (key: string): Effect.Effect<Option.Option<ObjectHead>, OssError> =>
    client.head(key).pipe(
      Effect.retry({ schedule, while: ({ isRetryable }) => isRetryable }),
      Effect.asSome,
      Effect.catchIf(
        ({ reason }) => reason._tag === "NoSuchKey",
        () => Effect.succeedNone
      )
    )
})

export const nothingAt = ({ bucket, key }: ObjectUrl) =>
  new NotStored({
    problem: `there is no object oss://${bucket}/${key}`,
    remedy: "check the key, and the endpoint (--endpoint, OSS_ENDPOINT or the region)"
  })
