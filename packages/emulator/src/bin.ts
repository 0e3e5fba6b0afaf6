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
import { refuse } from "./ErrorCode.ts"
import * as OssEmulator from "./OssEmulator.ts"

const optional = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

const flags = {
  port: Flag.Int("port").pipe(
    Flag.withDescription("Where to listen on 127.0.0.1; 0 takes any free port"),
    Flag.withDefault(0)
  ),
  dataDir: optional("data-dir", "Where everything is kept; without it, in memory"),
  accessKeyId: optional("access-key-id", "Let in only who signs with this key"),
  accessKeySecret: optional("access-key-secret", "The secret of the access key"),
  bucket: optional("bucket", "The only bucket; without it, any exists once it is named")
}

const announce = Layer.effectDiscard(
  OssEmulator.OssEmulator.use(({ url }) => Console.log(`effect-oss emulator listening on ${url}`))
)

const command = Command.make(
  "effect-oss-emulator",
  flags,
  Effect.fnUntraced(function* (given) {
    if (Option.isSome(given.accessKeyId) !== Option.isSome(given.accessKeySecret)) {
      return yield* refuse("InvalidArgument", "Give an access key id and its secret, or neither.")
    }
    const key = Option.all([given.accessKeyId, given.accessKeySecret])
    const server = OssEmulator.layer({
      port: given.port,
      dataDir: Option.getOrUndefined(given.dataDir),
      buckets: Option.getOrUndefined(Option.map(given.bucket, (bucket) => [bucket])),
      credentials: Option.toArray(key).map(([accessKeyId, accessKeySecret]) => ({
        accessKeyId,
        accessKeySecret
      }))
    })
    return yield* Layer.launch(Layer.provide(announce, server))
  })
).pipe(Command.withDescription("An OSS that runs on your own machine"))

Command.run(command, { version: "0.1.0" }).pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
