/**
 * The command with the rights of a user who owns nothing. All that it needs is
 * loaded before: the checkout may be closed to that user, as below the home of
 * root.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as OssClient from "@effect-oss/core/OssClient"
import * as NodeOssHttp from "@effect-oss/node-http/NodeOssHttp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Cli from "../src/Cli.ts"
import { Screen } from "@effect-oss/terminal"
import { Output } from "../src/internal/Output.ts"
import { layerLogger, layerOutput } from "../src/internal/processOutput.ts"

// A command is loaded when it is run: this run says what is wrong, to nobody.
const silent = Output.of({
  out: () => Effect.void,
  error: () => Effect.void,
  written: Effect.void,
  isRead: Effect.succeed(true),
  screen: Screen.make({ write: () => Effect.void })
})
await Effect.runPromise(
  Cli.run(["upload", "nothing-is-there", "oss://bucket/"]).pipe(
    Effect.provide(NodeServices.layer),
    Effect.provideService(Output, silent)
  )
)
// A client loads ali-oss when it is made.
await Effect.runPromise(
  OssClient.layer({
    bucket: "bucket",
    region: "cn-hangzhou",
    credentials: { accessKeyId: "id", accessKeySecret: Redacted.make("secret") }
  }).pipe(Layer.provide(NodeOssHttp.layer()), Layer.build, Effect.scoped)
)

const nobody = 65_534
process.setgroups?.([])
process.setgid?.(nobody)
process.setuid?.(nobody)

process.exit(
  await Effect.runPromise(
    Effect.provide(Cli.run(process.argv.slice(2)), [layerOutput, layerLogger, NodeServices.layer])
  )
)
