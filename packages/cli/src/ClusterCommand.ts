/**
 * The arguments of the cluster's commands. The code of a command is loaded when
 * it runs.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { files, json, partSize, profile, url } from "./internal/params.ts"
import { orInterrupted, untilSignal } from "./internal/signals.ts"

const load = <A>(module: () => Promise<A>) => Effect.promise(module)

const databaseUrl = Flag.String("database-url").pipe(
  Flag.withDescription(
    "postgres://…, for any number of runners, or a file, for one. Default: EFFECT_OSS_DATABASE_URL, else $XDG_STATE_HOME/effect-oss/cluster.sqlite"
  ),
  Flag.withMetavar("URL"),
  Flag.optional
)

const ids = Argument.String("id").pipe(
  Argument.withDescription("As submit printed it"),
  Argument.withMetavar("ID"),
  Argument.variadic({ min: 1 })
)

const runner = Command.make(
  "runner",
  {
    databaseUrl,
    roots: Flag.String("root").pipe(
      Flag.withDescription(
        "A directory with sources, or what their URLs begin with. Repeat it for several. Sources elsewhere are refused. Required with PostgreSQL; with a file, the default is every source"
      ),
      Flag.withMetavar("DIR|URL"),
      Flag.atLeast(0)
    ),
    targets: Flag.String("target").pipe(
      Flag.withDescription(
        "A bucket, or what its keys begin with, such as oss://backups/2026/. Repeat it for several. Uploads to others are refused, and each is checked at the start. Default: whatever the keys allow"
      ),
      Flag.withMetavar("oss://BUCKET/PREFIX"),
      Flag.atLeast(0)
    ),
    retention: Flag.String("retention").pipe(
      Flag.withDescription(
        "Forget uploads that ended so long ago, such as 30d. Default: keep them, until cleanup"
      ),
      Flag.withMetavar("AGE"),
      Flag.optional
    ),
    activities: Flag.Int("activities").pipe(
      Flag.withDescription("Small files and ranges of parts at once. Default: 4"),
      Flag.withMetavar("N"),
      Flag.withDefault(4)
    ),
    parallel: Flag.Int("parallel").pipe(
      Flag.withDescription("Parts of each range on their way at once. Default: 5"),
      Flag.withMetavar("N"),
      Flag.withDefault(5)
    ),
    profile
  },
  (input) =>
    load(() => import("./internal/commands/runner.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      untilSignal
    )
).pipe(
  Command.withShortDescription("Take on uploads that are submitted, until SIGINT or SIGTERM"),
  Command.withDescription(
    "Take on uploads that are submitted, together with all runners of the same database, until SIGINT or SIGTERM. Sources have to be there under the same path. Endpoint: the environment. Keys: as upload finds them. No port is opened: work is found in the database"
  ),
  Command.withExamples([
    { command: "effect-oss runner", description: "The only one, on SQLite" },
    { command: "effect-oss runner --database-url postgres://uploads@db/uploads --root /shared" }
  ])
)

const submit = Command.make(
  "submit",
  {
    databaseUrl,
    files: files(
      "What is uploaded: files, directories with all that is in them, or URLs of servers that know ranges"
    ),
    url,
    partSize,
    onFailure: Flag.Literals("on-failure", ["keep", "abort"]).pipe(
      Flag.withDescription("What becomes of the parts if the upload fails. Default: keep"),
      Flag.withMetavar("WHAT"),
      Flag.withDefault("keep" as const)
    ),
    again: Flag.Boolean("again").pipe(
      Flag.withDescription("Upload even what was uploaded before and is still there"),
      Flag.withoutNegation,
      Flag.withDefault(false)
    ),
    wait: Flag.Boolean("wait").pipe(
      Flag.withDescription("Show how far they are, until all have ended"),
      Flag.withoutNegation,
      Flag.withDefault(false)
    ),
    json
  },
  (input) =>
    load(() => import("./internal/commands/submit.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      orInterrupted
    )
).pipe(
  Command.withShortDescription("Hand uploads to the runners, and print their ids"),
  Command.withDescription(
    "Hand uploads to the runners, and print their ids, one a line. The same file to the same object, submitted again, joins the upload that is under way; if that has ended, the runner looks whether the object is still there, and uploads only if it isn't. Of several files and of directories, all that is smaller than a part becomes one batch, with one id"
  ),
  Command.withExamples([
    { command: "effect-oss submit /shared/*.tar oss://backups/2026/ --wait" },
    { command: "effect-oss submit /shared/photos oss://backups/" },
    { command: "effect-oss submit https://mirror.example/image.iso oss://mirror/" }
  ])
)

const status = Command.make(
  "status",
  {
    databaseUrl,
    ids,
    watch: Flag.Boolean("watch").pipe(
      Flag.withDescription("Show how far they are, until all have ended"),
      Flag.withoutNegation,
      Flag.withDefault(false)
    ),
    json
  },
  (input) =>
    load(() => import("./internal/commands/status.ts")).pipe(
      Effect.flatMap((commands) => commands.status(input)),
      orInterrupted
    )
).pipe(
  Command.withShortDescription("How far submitted uploads are, wherever they run"),
  Command.withDescription(
    "How far submitted uploads are, wherever they run. Ends with the exit code that upload would have if one of them failed"
  ),
  Command.withExamples([
    { command: "effect-oss status --watch $(effect-oss submit /shared/db.tar oss://backups/)" }
  ])
)

const list = Command.make(
  "list",
  {
    databaseUrl,
    open: Flag.Boolean("open").pipe(
      Flag.withDescription("Only those that have not ended"),
      Flag.withoutNegation,
      Flag.withDefault(false)
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("At most so many. Default: 100"),
      Flag.withMetavar("N"),
      Flag.withDefault(100)
    ),
    json
  },
  (input) =>
    load(() => import("./internal/commands/list.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      orInterrupted
    )
).pipe(
  Command.withDescription("What was submitted, the newest first, and how far it is"),
  Command.withExamples([{ command: "effect-oss list --open" }])
)

const cleanup = Command.make(
  "cleanup",
  {
    databaseUrl,
    olderThan: Flag.String("older-than").pipe(
      Flag.withDescription("Since they ended, such as 30d"),
      Flag.withMetavar("AGE")
    ),
    json
  },
  (input) =>
    load(() => import("./internal/commands/cleanup.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      orInterrupted
    )
).pipe(
  Command.withShortDescription("Forget submitted uploads that are long over"),
  Command.withDescription(
    "Forget submitted uploads that are long over, and free the database of them. Objects stay; the same files, submitted again, are uploaded again"
  ),
  Command.withExamples([{ command: "effect-oss cleanup --older-than 30d" }])
)

const byId = <const Name extends "pause" | "resume" | "cancel">(name: Name, description: string) =>
  Command.make(name, { databaseUrl, ids, json }, (input) =>
    load(() => import("./internal/commands/status.ts")).pipe(
      Effect.flatMap((commands) => commands[name](input)),
      orInterrupted
    )
  ).pipe(
    Command.withDescription(description),
    Command.withExamples([{ command: `effect-oss ${name} 4be0c6b1f1a3e5d2c7f8a90b12cd34ef` }])
  )

/**
 * All commands of the cluster.
 *
 * @category commands
 * @since 0.1.0
 */
export const commands = [
  runner,
  submit,
  status,
  list,
  byId("pause", "Send no further parts of submitted uploads, until resume"),
  byId("resume", "Go on with uploads that were paused"),
  byId("cancel", "Give submitted uploads up, and abort what was sent"),
  cleanup
] as const
