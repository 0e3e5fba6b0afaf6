/** The endpoint that the variables `CONFORMANCE_…` name, once it has answered. */
import { Config, ConfigProvider, Data, Effect, Option, Redacted } from "effect"
import { ask, type Target } from "./overHttp.ts"
import { elementOf } from "./texts.ts"

class Unusable extends Data.TaggedError("Unusable")<{ readonly message: string }> {}

const variables = Config.all({
  endpoint: Config.NonEmptyString("ENDPOINT"),
  bucket: Config.NonEmptyString("BUCKET"),
  region: Config.NonEmptyString("REGION").pipe(Config.withDefault("cn-hangzhou")),
  accessKeyId: Config.NonEmptyString("ACCESS_KEY_ID"),
  accessKeySecret: Config.Redacted("ACCESS_KEY_SECRET"),
  token: Config.option(Config.Redacted("SESSION_TOKEN"))
})

/** Fails with one sentence, instead of once in each case. */
export const given: Effect.Effect<Target, Unusable> = Effect.gen(function* () {
  const provider = ConfigProvider.nested(ConfigProvider.fromEnv(), "CONFORMANCE")
  const { accessKeyId, accessKeySecret, token, ...place } = yield* Effect.mapError(
    variables.parse(provider),
    ({ message }) => new Unusable({ message: `CONFORMANCE_…: ${message}` })
  )
  const keys = {
    accessKeyId,
    accessKeySecret: Redacted.value(accessKeySecret),
    securityToken: Option.getOrUndefined(Option.map(token, Redacted.value))
  }
  const target = { ...place, keys }
  const names = { bucket: target.bucket }
  const query = { "max-keys": "1" }
  const answer = yield* Effect.mapError(
    ask(target, { method: "GET", key: null, query }, names),
    ({ cause }) => new Unusable({ message: `${target.endpoint} can't be reached: ${cause}` })
  )
  if (answer.status === 200) return target
  const code = elementOf(answer.body, "Code") ?? "no error of OSS"
  const message = `${target.endpoint} does not list ${target.bucket}: ${answer.status}, ${code}`
  return yield* new Unusable({ message })
})
