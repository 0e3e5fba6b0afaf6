/**
 * The `effect-oss` command: its arguments, and how it ends. What a command does
 * is loaded when it is run, so that help and mistakes are answered at once.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Argument from "effect/cli/Argument"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ExitCode, Explanation, Failure } from "./Explain.ts"
import { explain, explainDefect, isResumable } from "./Explain.ts"
import { orInterrupted, untilSignal } from "./internal/signals.ts"
import { Output } from "./Output.ts"
import * as Size from "./Size.ts"

/**
 * The package's version.
 *
 * @category constants
 * @since 0.1.0
 */
export const version = "0.1.0"

const connection = {
  region: Flag.String("region").pipe(
    Flag.withDescription("Of the bucket, such as cn-hangzhou. Default: OSS_REGION"),
    Flag.withMetavar("REGION"),
    Flag.optional
  ),
  endpoint: Flag.String("endpoint").pipe(
    Flag.withDescription(
      "Where the bucket is, such as http://127.0.0.1:9000. Default: OSS_ENDPOINT, else that of the region"
    ),
    Flag.withMetavar("URL"),
    Flag.optional
  ),
  pathStyle: Flag.Boolean("path-style").pipe(
    Flag.withDescription("The bucket is in the URL's path. Default: OSS_PATH_STYLE, else no"),
    Flag.optional
  )
}

const checkpointDir = Flag.String("checkpoint-dir").pipe(
  Flag.withDescription(
    "Where what was sent is remembered. Default: $XDG_STATE_HOME/effect-oss, else ~/.local/state/effect-oss"
  ),
  Flag.withMetavar("DIR"),
  Flag.optional
)

const json = Flag.Boolean("json").pipe(
  Flag.withDescription("One JSON value a line on standard output"),
  Flag.withoutNegation,
  Flag.withDefault(false)
)

const url = Argument.String("url").pipe(
  Argument.withMetavar("oss://BUCKET/KEY"),
  Argument.withDescription(
    "The object. A KEY that is empty or ends in / gets the file's name appended"
  )
)

const upload = Command.make(
  "upload",
  {
    file: Argument.String("file").pipe(
      Argument.withMetavar("FILE"),
      Argument.withDescription("What is uploaded")
    ),
    url,
    partSize: Flag.String("part-size").pipe(
      Flag.withDescription(
        `From 100KiB to 5GiB; ${Size.syntax}. Default: 8MiB, more for files above 78 GiB`
      ),
      Flag.withMetavar("SIZE"),
      Flag.optional
    ),
    parallel: Flag.Int("parallel").pipe(
      Flag.withDescription("How many parts are on their way at once. Default: 5"),
      Flag.withMetavar("N"),
      Flag.withDefault(5)
    ),
    checkpointDir,
    noProgress: Flag.Boolean("no-progress").pipe(
      Flag.withDescription("Only the last line; with --json, without the samples of Progress"),
      Flag.withoutNegation,
      Flag.withDefault(false)
    ),
    json,
    ...connection
  },
  (input) =>
    load(() => import("./commands/upload.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      orInterrupted
    )
).pipe(
  Command.withDescription(
    "Upload a file. Running it again, after Ctrl-C, a crash or a reboot, carries on where it stopped"
  ),
  Command.withExamples([
    { command: "effect-oss upload db.tar oss://backups/2026/", description: "As 2026/db.tar" },
    { command: "effect-oss upload db.tar oss://backups/db.tar --json --parallel 10" }
  ])
)

const pending = Command.make("pending", { checkpointDir, json }, (input) =>
  load(() => import("./commands/pending.ts")).pipe(
    Effect.flatMap(({ run }) => run(input)),
    orInterrupted
  )
).pipe(Command.withDescription("List the uploads that can be resumed, the newest first"))

const abort = Command.make(
  "abort",
  {
    url,
    file: Flag.String("file").pipe(
      Flag.withDescription("Only the upload of this file. Default: of every file"),
      Flag.withMetavar("FILE"),
      Flag.optional
    ),
    checkpointDir,
    ...connection
  },
  (input) =>
    load(() => import("./commands/abort.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      orInterrupted
    )
).pipe(Command.withDescription("Give up an upload: abort it at OSS, remove its checkpoint"))

const emulator = Command.make(
  "emulator",
  {
    port: Flag.Int("port").pipe(
      Flag.withDescription("On 127.0.0.1. Default: 0, any free one"),
      Flag.withMetavar("N"),
      Flag.withDefault(0)
    ),
    dataDir: Flag.String("data-dir").pipe(
      Flag.withDescription("Where everything is kept. Default: in memory"),
      Flag.withMetavar("DIR"),
      Flag.optional
    ),
    accessKeyId: Flag.String("access-key-id").pipe(
      Flag.withDescription("Who is let in. Default: OSS_ACCESS_KEY_ID, else emulator"),
      Flag.withMetavar("ID"),
      Flag.optional
    ),
    accessKeySecret: Flag.Redacted("access-key-secret").pipe(
      Flag.withDescription("Default: OSS_ACCESS_KEY_SECRET, else emulator-secret"),
      Flag.withMetavar("SECRET"),
      Flag.optional
    ),
    bucket: Flag.String("bucket").pipe(
      Flag.withDescription("The only bucket there is. Default: any, from its first use on"),
      Flag.withMetavar("BUCKET"),
      Flag.optional
    )
  },
  (input) =>
    load(() => import("./commands/emulator.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      untilSignal
    )
).pipe(Command.withDescription("Run an OSS on this machine, until SIGINT or SIGTERM"))

/**
 * The whole command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("effect-oss").pipe(
  Command.withDescription(
    [
      "Resumable uploads to Alibaba Cloud OSS.",
      "",
      "Environment: OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, OSS_SESSION_TOKEN (temporary keys),",
      "OSS_REGION, OSS_ENDPOINT, OSS_PATH_STYLE, NO_COLOR. Flags win.",
      "",
      "Exit codes: 0 done; 1 failed, run the same command again to carry on; 2 wrong usage, nothing",
      "was sent; 3 failed for good; 130 interrupted by SIGINT, 143 by SIGTERM, carry on as after 1."
    ].join("\n")
  ),
  Command.withSubcommands([upload, pending, abort, emulator])
)

const load = <A>(module: () => Promise<A>) => Effect.promise(module)

/**
 * Runs the command with these arguments, without the program's own name, and
 * yields the exit code. Every failure has been told of by then: as two lines on
 * standard error and, with `--json`, as a last line on standard output.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const output = yield* Output
  const done: ExitCode = 0
  return yield* Command.runWith(command, { version, renderErrors: false })(args).pipe(
    Effect.as<ExitCode>(done),
    Effect.catchCause((cause) =>
      Effect.as(tell(output, explainCause(cause), asksForJson(args)), explainCause(cause).exitCode)
    ),
    Effect.provide([layerPresenter(output), layerBuiltIns])
  )
})

const explainCause = (cause: Cause.Cause<Failure>): Explanation =>
  Option.match(Cause.findErrorOption(cause), {
    onNone: () => explainDefect(Cause.squash(cause)),
    onSome: explain
  })

/** Also where the arguments are too wrong to be understood. */
const asksForJson = (args: ReadonlyArray<string>): boolean => {
  const end = args.indexOf("--")
  return args.slice(0, end === -1 ? args.length : end).includes("--json")
}

const tell = Effect.fnUntraced(function* (
  { out, error }: Output["Service"],
  explanation: Explanation,
  json: boolean
) {
  const { what, todo, exitCode } = explanation
  if (json) {
    const resumable = isResumable(explanation)
    const failed = { _tag: "Failed", message: what, remedy: todo, resumable, exitCode }
    yield* out(`${JSON.stringify(failed)}\n`)
  }
  yield* error(`error: ${what}\n  → ${todo}\n`)
})

/** Help and version where they were asked for; mistakes are `tell`'s. */
const layerPresenter = ({ out, terminal }: Output["Service"]): Layer.Layer<never> => {
  const colors = Option.exists(terminal, ({ color }) => color)
  const formatter = CliOutput.defaultFormatter({ colors })
  return CliOutput.layerPresenter({
    present: (event) => {
      switch (event._tag) {
        case "Help":
          return event.reason === "Requested"
            ? out(`${formatter.formatHelpDoc(event.helpDoc)}\n`)
            : Effect.void
        case "Version":
          return out(`${formatter.formatVersion(event.name, event.version)}\n`)
        case "InvalidInvocation":
          return Effect.void
      }
    }
  })
}

const layerBuiltIns = CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version] })
