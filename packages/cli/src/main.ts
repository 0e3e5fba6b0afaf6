/** The arguments, the streams and the exit code of the process. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Cli from "./Cli.ts"
import { layerLogger, layerOutput } from "./internal/processOutput.ts"

/** The commands handle signals themselves. */
const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  fiber.addObserver((exit) => teardown(exit, (code) => process.exit(code)))
})

Cli.run(process.argv.slice(2)).pipe(
  Effect.provide([layerOutput, layerLogger, NodeServices.layer]),
  Effect.tap((code) => Effect.sync(() => process.exit(code))),
  runMain
)
