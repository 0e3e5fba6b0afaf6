/** Writes `docs/api.md` out of the doc comments, `AGENTS.md` of each package out of its README, and into pages the code that they show: `pnpm api`. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, FileSystem } from "effect"
import { declarationsOf } from "./declarations.ts"
import * as Agents from "./agents.ts"
import { reference } from "./reference.ts"
import { root, succeed } from "./command.ts"
import { pages, sources } from "./documents.ts"
import { withIncluded } from "./included.ts"

Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const declarations = yield* declarationsOf(yield* sources)
  yield* fs.writeFileString(`${root}/docs/api.md`, reference(declarations))
  yield* succeed(`${root}/node_modules/.bin/oxfmt`, ["docs/api.md"])
  yield* Agents.write
  for (const page of yield* pages) {
    const text = yield* withIncluded(page)
    if (text !== page.text) yield* fs.writeFileString(`${root}/${page.file}`, text)
  }
}).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
