/** `effect-oss emulator`: runs an OSS on this machine until a signal ends it. */
import * as OssEmulator from "@effect-oss/emulator/OssEmulator"
import * as RequestLog from "@effect-oss/emulator/RequestLog"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { UsageError } from "../CliFailure.ts"
import { Output } from "../Output.ts"
import { variable } from "../environment.ts"
import { port as validPort } from "../numbers.ts"

export interface Input {
  readonly port: number
  readonly host: string
  readonly dataDir: Option.Option<string>
  readonly seed: Option.Option<string>
  readonly accessKeyId: Option.Option<string>
  readonly accessKeySecret: Option.Option<Redacted.Redacted>
  readonly sessionToken: Option.Option<Redacted.Redacted>
  readonly bucket: ReadonlyArray<string>
  readonly region: Option.Option<string>
  readonly cors: ReadonlyArray<string>
  readonly log: boolean
}

export const run = Effect.fn("emulator")(function* (input: Input) {
  const { bucket, cors, host, log } = input
  const { out, error } = yield* Output
  const port = yield* validPort("--port", input.port)
  const key = yield* credentials(input)
  if (!isLoopback(host)) yield* error(`${openTo(host)}\n`)
  const server = OssEmulator.layer({
    port,
    host,
    dataDir: Option.getOrUndefined(input.dataDir),
    seed: Option.getOrUndefined(input.seed),
    buckets: bucket.length === 0 ? undefined : bucket,
    region: Option.getOrUndefined(input.region),
    cors: cors.length === 0 ? [] : [{ allowedOrigins: cors }],
    credentials: [key],
    onRequest: log ? (entry) => Effect.ignore(error(`${RequestLog.render(entry)}\n`)) : undefined
  })
  const { url } = yield* Layer.build(server).pipe(
    Effect.mapError(
      ({ option, problem, remedy }) =>
        new UsageError({ problem: `${flagOf[option]}: ${problem}`, remedy })
    ),
    Effect.flatMap((context) => Effect.provideContext(OssEmulator.OssEmulator, context))
  )
  yield* out(`effect-oss emulator listening on ${url}\n`)
  yield* error(`${howToConnect(url, key)}\n`)
  return yield* Effect.never
}, Effect.scoped)

const flagOf: Readonly<Record<OssEmulator.StartError["option"], string>> = {
  port: "--port",
  host: "--host",
  buckets: "--bucket",
  dataDir: "--data-dir",
  seed: "--seed",
  credentials: "--access-key-id",
  cors: "--cors"
}

const isLoopback = (host: string) =>
  host === "localhost" || host === "::1" || host.startsWith("127.")

const openTo = (host: string) =>
  `warning: every machine that reaches ${host} can use the emulator with the key, over plain HTTP`

/** Makes a line for another shell. It shows a secret only if it is the well-known one. */
const howToConnect = (url: string, key: OssEmulator.Credential) => {
  const secret = key.accessKeySecret === knownSecret ? knownSecret : "…"
  const token = key.securityToken === undefined ? "" : " OSS_SESSION_TOKEN=…"
  return `to use it: export OSS_ENDPOINT=${url} OSS_ACCESS_KEY_ID=${key.accessKeyId} OSS_ACCESS_KEY_SECRET=${secret}${token}`
}

const knownSecret = "emulator-secret"

/** The keys that an upload in the same shell would use, or the well-known ones. */
const credentials = Effect.fnUntraced(function* (input: Input) {
  const id = yield* variable("OSS_ACCESS_KEY_ID")
  const secret = yield* variable("OSS_ACCESS_KEY_SECRET")
  const token = Option.isNone(input.accessKeyId)
    ? yield* variable("OSS_SESSION_TOKEN")
    : Option.none()
  const given = Option.map(input.accessKeySecret, Redacted.value)
  const givenToken = Option.map(input.sessionToken, Redacted.value)
  return {
    accessKeyId: Option.getOrElse(Option.firstSomeOf([input.accessKeyId, id]), () => "emulator"),
    accessKeySecret: Option.getOrElse(Option.firstSomeOf([given, secret]), () => knownSecret),
    securityToken: Option.getOrUndefined(Option.firstSomeOf([givenToken, token]))
  }
})
