/** `effect-oss emulator`: an OSS on this machine, until a signal ends it. */
import * as OssEmulator from "@effect-oss/emulator/OssEmulator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { UsageError } from "../../CliFailure.ts"
import { Output } from "../../Output.ts"
import { variable } from "../environment.ts"
import { port as validPort } from "../numbers.ts"

export interface Input {
  readonly port: number
  readonly dataDir: Option.Option<string>
  readonly accessKeyId: Option.Option<string>
  readonly accessKeySecret: Option.Option<Redacted.Redacted>
  readonly bucket: Option.Option<string>
}

export const run = Effect.fn("emulator")(function* (input: Input) {
  const { dataDir, bucket } = input
  const { out, error } = yield* Output
  const port = yield* validPort("--port", input.port)
  const key = yield* credentials(input)
  const options = {
    port,
    dataDir: Option.getOrUndefined(dataDir),
    buckets: Option.getOrUndefined(Option.map(bucket, (name) => [name])),
    credentials: [key]
  }
  const server = Layer.build(OssEmulator.layer(options)).pipe(
    Effect.mapError((error) => problemOf(error, input))
  )
  const { url } = yield* Effect.flatMap(server, (context) =>
    Effect.provideContext(OssEmulator.OssEmulator, context)
  )
  yield* out(`effect-oss emulator listening on ${url}\n`)
  yield* error(`${howToConnect(url, key)}\n`)
  return yield* Effect.never
}, Effect.scoped)

/** A line for another shell. Only the secret that everybody knows is shown. */
const howToConnect = (
  url: string,
  {
    accessKeyId,
    accessKeySecret
  }: { readonly accessKeyId: string; readonly accessKeySecret: string }
) => {
  const secret = accessKeySecret === knownSecret ? knownSecret : "…"
  return `to use it: export OSS_ENDPOINT=${url} OSS_ACCESS_KEY_ID=${accessKeyId} OSS_ACCESS_KEY_SECRET=${secret}`
}

const knownSecret = "emulator-secret"

/** Those that an upload in the same shell would use, else well-known ones. */
const credentials = Effect.fnUntraced(function* ({ accessKeyId, accessKeySecret }: Input) {
  const id = yield* variable("OSS_ACCESS_KEY_ID")
  const secret = yield* variable("OSS_ACCESS_KEY_SECRET")
  const token = Option.isNone(accessKeyId) ? yield* variable("OSS_SESSION_TOKEN") : Option.none()
  const given = Option.map(accessKeySecret, Redacted.value)
  return {
    accessKeyId: Option.getOrElse(Option.firstSomeOf([accessKeyId, id]), () => "emulator"),
    accessKeySecret: Option.getOrElse(Option.firstSomeOf([given, secret]), () => knownSecret),
    securityToken: Option.getOrUndefined(token)
  }
})

type Problem = Layer.Error<ReturnType<typeof OssEmulator.layer>>

const problemOf = (error: Problem, { port, dataDir }: Input): UsageError => {
  switch (error._tag) {
    case "ServeError":
      return new UsageError({
        problem: `--port: ${port} can't be listened on: ${reasonOf(error.cause)}`,
        remedy: "give another port, or 0 for any free one"
      })
    case "Refusal":
      return new UsageError({
        problem: `--bucket: ${error.message}`,
        remedy: "give 3 to 63 lower-case letters, digits and hyphens"
      })
    default:
      return new UsageError({
        problem: error.message,
        remedy: `give --data-dir a directory that this user can write to${Option.isSome(dataDir) ? `, or delete ${dataDir.value}` : ""}`
      })
  }
}

const reasonOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))
