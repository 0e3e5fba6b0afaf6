/**
 * The command with the rights of a user who owns nothing. All that it needs is
 * loaded before: the checkout may be closed to that user, as below the home of
 * root.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Cli from "../src/Cli.ts"
import { layerLogger, layerOutput } from "../src/internal/processOutput.ts"

await import("../src/internal/commands/upload.ts")

const nobody = 65_534
process.setgroups?.([])
process.setgid?.(nobody)
process.setuid?.(nobody)

process.exit(
  await Effect.runPromise(
    Effect.provide(Cli.run(process.argv.slice(2)), [layerOutput, layerLogger, NodeServices.layer])
  )
)
