#!/usr/bin/env node
/**
 * The emulator as a command: runs until it is interrupted.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { isLoopback } from "./internal/start.ts"
import * as OssEmulator from "./OssEmulator.ts"
import * as RequestLog from "./RequestLog.ts"

const optional = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

const flags = {
  port: Flag.Int("port").pipe(
    Flag.withDescription("The port to listen on; 0 takes any free port"),
    Flag.withDefault(0)
  ),
  host: Flag.String("host").pipe(
    Flag.withDescription("The address to listen on; with 0.0.0.0 other machines can reach it"),
    Flag.withDefault("127.0.0.1")
  ),
  dataDir: optional("data-dir", "The directory that keeps buckets and objects (default: memory)"),
  seed: optional(
    "seed",
    "A directory to start with: subdirectories become buckets, files become objects"
  ),
  accessKeyId: optional(
    "access-key-id",
    "Take only requests that this key signs (default: all requests)"
  ),
  accessKeySecret: Flag.Redacted("access-key-secret").pipe(
    Flag.withDescription("The secret of the access key"),
    Flag.optional
  ),
  sessionToken: Flag.Redacted("session-token").pipe(
    Flag.withDescription("The token of temporary keys; each request must carry it"),
    Flag.optional
  ),
  bucket: Flag.String("bucket").pipe(
    Flag.withDescription(
      "A bucket to create; may be repeated (default: each bucket that a request names)"
    ),
    Flag.atLeast(0)
  ),
  region: optional("region", "The region that signatures of version 4 must name"),
  cors: Flag.String("cors").pipe(
    Flag.withDescription(
      "An origin whose pages may use the emulator, such as http://localhost:5173, or *; may be repeated"
    ),
    Flag.atLeast(0)
  ),
  log: Flag.Boolean("log").pipe(
    Flag.withDescription("Write a line for each request to standard error"),
    Flag.withDefault(false)
  )
}

const announce = Layer.effectDiscard(
  OssEmulator.OssEmulator.use(({ url }) => Console.log(`effect-oss emulator listening on ${url}`))
)

const credentialOf = (given: {
  readonly accessKeyId: Option.Option<string>
  readonly accessKeySecret: Option.Option<Redacted.Redacted>
  readonly sessionToken: Option.Option<Redacted.Redacted>
}): ReadonlyArray<OssEmulator.Credential> =>
  Option.toArray(Option.all([given.accessKeyId, given.accessKeySecret])).map(
    ([accessKeyId, secret]) => ({
      accessKeyId,
      accessKeySecret: Redacted.value(secret),
      securityToken: Option.getOrUndefined(Option.map(given.sessionToken, Redacted.value))
    })
  )

const command = Command.make(
  "effect-oss-emulator",
  flags,
  Effect.fnUntraced(function* (given) {
    const { host, port, bucket, cors, log } = given
    const credentials = credentialOf(given)
    const { accessKeyId: id, accessKeySecret: secret, sessionToken: token } = given
    if (
      credentials.length === 0 &&
      (Option.isSome(id) || Option.isSome(secret) || Option.isSome(token))
    ) {
      return yield* new OssEmulator.StartError({
        option: "credentials",
        problem: "an access key has an id and a secret",
        remedy: "give both --access-key-id and --access-key-secret, or neither"
      })
    }
    if (!isLoopback(host)) yield* Console.error(warningOf(host, credentials.length > 0))
    const server = OssEmulator.layer({
      port,
      host,
      dataDir: Option.getOrUndefined(given.dataDir),
      seed: Option.getOrUndefined(given.seed),
      buckets: bucket.length === 0 ? undefined : bucket,
      region: Option.getOrUndefined(given.region),
      cors: cors.length === 0 ? [] : [{ allowedOrigins: cors }],
      credentials,
      onRequest: log ? (entry) => Console.error(RequestLog.render(entry)) : undefined
    })
    return yield* Layer.launch(Layer.provide(announce, server))
  })
).pipe(Command.withDescription("An OSS that runs on your own machine"))

const warningOf = (host: string, isSigned: boolean) =>
  isSigned
    ? `warning: every machine that reaches ${host} can use the emulator with the key, over plain HTTP`
    : `warning: every machine that reaches ${host} can read and write everything; give --access-key-id and --access-key-secret`

const flagOf: Readonly<Record<OssEmulator.StartError["option"], string>> = {
  port: "--port",
  host: "--host",
  buckets: "--bucket",
  dataDir: "--data-dir",
  seed: "--seed",
  credentials: "--access-key-id",
  cors: "--cors"
}

const endWith = (code: number) => Effect.sync(() => void (process.exitCode = code))

Command.run(command, { version: "0.1.0" }).pipe(
  Effect.catchTags({
    StartError: ({ option, problem, remedy }) =>
      Effect.andThen(
        Console.error(`error: ${flagOf[option]}: ${problem}\n  → ${remedy}`),
        endWith(2)
      ),
    // The help and the errors have been written already.
    ShowHelp: ({ errors }) => endWith(errors.length > 0 ? 2 : 0)
  }),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
