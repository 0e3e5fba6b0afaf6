/** Finds the keys of a command that talks to OSS. */
import * as NodeOssCredentials from "@effect-oss/node-http/NodeOssCredentials"
import * as NodeOssHttp from "@effect-oss/node-http/NodeOssHttp"
import type * as OssCredentials from "@effect-oss/core/OssCredentials"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { UsageError } from "./CliFailure.ts"
import { variable } from "./environment.ts"

/**
 * Finds keys as Alibaba's tools do. Undefined if the command's own variables
 * have keys, or a part of them. It looks at once, so a mistake ends the command
 * before anything is read or sent.
 */
export const found = Effect.fnUntraced(function* (profile: Option.Option<string>) {
  const own = yield* Effect.all([variable("OSS_ACCESS_KEY_ID"), variable("OSS_ACCESS_KEY_SECRET")])
  if (Option.isNone(profile) && own.some(Option.isSome)) return undefined
  const chain = NodeOssCredentials.chain({ profile: Option.getOrUndefined(profile) })
  return yield* checked(chain)
})

/** The keys of a profile of ossutil that names a service. */
export const ofOssutil = (file: string, profile: Option.Option<string>) =>
  checked(NodeOssCredentials.ossutil({ file, profile: Option.getOrUndefined(profile) }))

type Source = Effect.Effect<
  OssCredentials.Credentials,
  NodeOssCredentials.CredentialsError,
  NodeOssCredentials.Services
>

const checked = Effect.fnUntraced(function* (source: Source) {
  // A separate HTTP client: `--log` has the URLs of requests to OSS only, and nothing secret.
  const http = yield* Layer.build(NodeOssHttp.layer())
  const asking = Effect.provideContext(source, http)
  // A service that is unreachable now may be there for the first request.
  let first = yield* asking.pipe(
    Effect.asSome,
    Effect.catch((error) =>
      error.isRetryable ? Effect.succeedNone : Effect.fail(usageError(error))
    )
  )
  const current: typeof asking = Effect.suspend(() => {
    const held = first
    first = Option.none()
    return Option.match(held, { onNone: () => asking, onSome: Effect.succeed })
  })
  return { current }
})

const usageError = ({ reason }: NodeOssCredentials.CredentialsError): UsageError =>
  reason._tag === "CredentialsNotFound"
    ? new UsageError({
        problem: `there are no keys: ${reason.tried.join("; ")}`,
        remedy:
          "set the environment variables OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or give the keys in one of those places"
      })
    : new UsageError({
        problem: reason.message,
        remedy: "mend that, or give another profile by --profile NAME"
      })
