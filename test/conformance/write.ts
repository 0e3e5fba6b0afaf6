/** Writes `docs/conformance.md` out of the cases: `pnpm conformance`. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, FileSystem } from "effect"
import { root, succeed } from "../support/command.ts"
import { page } from "./table.ts"

Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  yield* fs.writeFileString(`${root}/docs/conformance.md`, page())
  yield* succeed(`${root}/node_modules/.bin/oxfmt`, ["docs/conformance.md"])
}).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
