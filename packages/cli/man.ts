/**
 * `node packages/cli/man.ts [DIRECTORY]`: the manual, `effect-oss.1`, out of
 * what `--help` says, into `dist` or wherever.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { join } from "node:path"
import * as Cli from "./src/Cli.ts"
import { Output } from "./src/internal/Output.ts"
import { manual } from "./src/internal/manual.ts"
import * as Screen from "@effect-oss/terminal/Screen"

const directory = process.argv[2] ?? join(import.meta.dirname, "dist")

/** What the command prints. */
const printed = (...args: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    let text = ""
    const write = (more: string) => Effect.sync(() => void (text += more))
    // What is indented below a title of man's has to fit, too.
    const screen = Screen.make({ write, size: Effect.succeed({ columns: 70, rows: 24 }) })
    const output = Output.of({
      out: write,
      error: write,
      written: Effect.void,
      isRead: Effect.succeed(true),
      screen
    })
    return Effect.map(Effect.provideService(Cli.run(args), Output, output), () => text)
  })

const program = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const overview = yield* printed("--help")
  const commands = yield* Effect.forEach(Cli.commandNames, (name) =>
    Effect.map(printed(name, "--help"), (help) => ({ name, help }))
  )
  const page = manual({ version: Cli.version, overview, commands })
  yield* fs.makeDirectory(directory, { recursive: true })
  yield* fs.writeFileString(join(directory, "effect-oss.1"), page)
})

await Effect.runPromise(Effect.provide(program, NodeServices.layer))
