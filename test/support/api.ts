/** Writes `docs/api.md` out of the doc comments: `pnpm api`. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, FileSystem } from "effect"
import { declarationsOf } from "./declarations.ts"
import { reference } from "./reference.ts"
import { root, succeed } from "./command.ts"
import { sources } from "./documents.ts"

Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const declarations = yield* declarationsOf(yield* sources)
  yield* fs.writeFileString(`${root}/docs/api.md`, reference(declarations))
  yield* succeed(`${root}/node_modules/.bin/oxfmt`, ["docs/api.md"])
}).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
