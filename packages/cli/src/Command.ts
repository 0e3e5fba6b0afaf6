/**
 * The arguments of `effect-oss`. The code of a command is loaded when it runs,
 * so help and mistakes are answered at once.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import {
  directoryFlag,
  fileFlag,
  files,
  json,
  objectUrl,
  place,
  profile,
  url
} from "./internal/params.ts"
import { orInterrupted, untilSignal } from "./internal/signals.ts"
import * as Storage from "./internal/storage.ts"
import * as UploadFlags from "./internal/uploadFlags.ts"
import { plainFlag } from "./internal/uploadFlags.ts"
import * as Age from "./internal/Age.ts"
import * as ClusterCommand from "./ClusterCommand.ts"

const load = <A>(module: () => Promise<A>) => Effect.promise(module)

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
  ),
  cname: Flag.Boolean("cname").pipe(
    Flag.withDescription(
      "The endpoint is a domain of the bucket's own. Default: OSS_CNAME, else no"
    ),
    Flag.optional
  ),
  ossutil: Flag.Boolean("ossutil").pipe(
    Flag.withDescription(
      "Take keys, region and endpoint from ossutil's file: OSSUTIL_CONFIG_FILE, else ~/.ossutilconfig"
    ),
    Flag.withoutNegation,
    Flag.withDefault(false)
  ),
  ossutilConfig: fileFlag("ossutil-config").pipe(
    Flag.withDescription("The same, from another file")
  ),
  profile,
  log: fileFlag("log").pipe(
    Flag.withDescription("Add a line for each request to this file; no secret is in it")
  )
}

const checkpointDir = directoryFlag("checkpoint-dir").pipe(
  Flag.withDescription(
    "Where what was sent is remembered. Default: $XDG_STATE_HOME/effect-oss, else ~/.local/state/effect-oss"
  )
)

/** The store of checkpoints. */
const store = {
  checkpointDir,
  allowSharedCheckpoints: Flag.Boolean("allow-shared-checkpoints").pipe(
    Flag.withDescription(
      "Use checkpoints that belong to other users, or that others may write to: they can make an upload take foreign bytes for its own"
    ),
    Flag.withDefault(false)
  )
}

const upload = Command.make(
  "upload",
  {
    ...UploadFlags.sources,
    ...UploadFlags.selection,
    ...UploadFlags.transfer,
    ...Storage.flags,
    ...store,
    noProgress: plainFlag(
      "no-progress",
      "Only the last line; with --json, without the samples of Progress"
    ),
    json,
    ...connection
  },
  (input) =>
    load(() => import("./internal/commands/upload.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      orInterrupted
    )
).pipe(
  Command.withShortDescription("Upload files, or carry on where an earlier run stopped"),
  Command.withDescription(
    "Upload files. Running it again, after Ctrl-C, a crash or a reboot, carries on where it stopped"
  ),
  Command.withExamples([
    { command: "effect-oss upload db.tar oss://backups/2026/", description: "As 2026/db.tar" },
    { command: "effect-oss upload db.tar oss://backups/db.tar --json --parallel 10" },
    {
      command: "effect-oss upload photos oss://backups/ --exclude .cache --skip size-time",
      description: "A directory, as photos/…"
    },
    {
      command: "effect-oss upload --command 'pg_dump shop' oss://backups/shop.sql",
      description: "What a program prints"
    }
  ])
)

const pending = Command.make("pending", { ...store, json }, (input) =>
  load(() => import("./internal/commands/pending.ts")).pipe(
    Effect.flatMap(({ run }) => run(input)),
    orInterrupted
  )
).pipe(
  Command.withDescription("List the uploads that can be resumed, the newest first"),
  Command.withExamples([{ command: "effect-oss pending --json" }])
)

const abort = Command.make(
  "abort",
  {
    url,
    file: fileFlag("file").pipe(
      Flag.withDescription("Only the upload of this file. Default: of every file")
    ),
    dryRun: plainFlag("dry-run", "Give up nothing: only say what would be given up"),
    ...store,
    ...connection
  },
  (input) =>
    load(() => import("./internal/commands/abort.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      orInterrupted
    )
).pipe(
  Command.withDescription("Give up an upload: abort it at OSS, remove its checkpoint"),
  Command.withExamples([
    { command: "effect-oss abort oss://backups/2026/db.tar" },
    { command: "effect-oss abort oss://backups/2026/ --file db.tar" }
  ])
)

const sweep = Command.make(
  "sweep",
  {
    olderThan: Flag.String("older-than").pipe(
      Flag.withDescription(`Begun so long ago: ${Age.syntax}`),
      Flag.withMetavar("AGE")
    ),
    yes: Flag.Boolean("yes").pipe(
      Flag.withDescription("Give them up. Default: only say which"),
      Flag.withoutNegation,
      Flag.withDefault(false)
    ),
    dryRun: plainFlag("dry-run", "Give up nothing: only say which, as without --yes"),
    ...store,
    ...connection
  },
  (input) =>
    load(() => import("./internal/commands/sweep.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      orInterrupted
    )
).pipe(
  Command.withDescription("Give up old uploads of this user that nobody will carry on with"),
  Command.withExamples([
    { command: "effect-oss sweep --older-than 7d", description: "Says which, and gives up none" },
    { command: "effect-oss sweep --older-than 7d --yes" }
  ])
)

const stat = Command.make(
  "stat",
  { url: objectUrl, json, retryFor: UploadFlags.transfer.retryFor, ...connection },
  (input) =>
    load(() => import("./internal/commands/stat.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      orInterrupted
    )
).pipe(
  Command.withDescription("Show what is stored: size, CRC64, ETag, class, how it was made"),
  Command.withExamples([{ command: "effect-oss stat oss://backups/2026/db.tar" }])
)

const ls = Command.make(
  "ls",
  {
    place,
    recursive: plainFlag("recursive", "All objects. Default: one level, folders as one line"),
    uploads: plainFlag("uploads", "The uploads that are open there, all levels, not the objects"),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("At most so many lines. Default: all"),
      Flag.withMetavar("N"),
      Flag.optional
    ),
    json,
    retryFor: UploadFlags.transfer.retryFor,
    ...connection
  },
  (input) =>
    load(() => import("./internal/commands/ls.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      orInterrupted
    )
).pipe(
  Command.withShortDescription("List the objects of a bucket, or open uploads"),
  Command.withDescription(
    "List the objects whose keys begin with PREFIX: time, size in bytes, URL. Exit code 3 if a PREFIX matches nothing"
  ),
  Command.withExamples([
    { command: "effect-oss ls oss://backups/2026/" },
    { command: "effect-oss ls oss://backups --recursive --json" },
    { command: "effect-oss ls oss://backups --uploads", description: "What is not finished" }
  ])
)

const rm = Command.make(
  "rm",
  {
    url: objectUrl,
    dryRun: plainFlag("dry-run", "Remove nothing: only say what would be removed"),
    json,
    retryFor: UploadFlags.transfer.retryFor,
    ...connection
  },
  (input) =>
    load(() => import("./internal/commands/rm.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      orInterrupted
    )
).pipe(
  Command.withShortDescription("Remove one object"),
  Command.withDescription(
    "Remove one object, without asking. The KEY is taken as it stands: no wildcards, no folders. Exit code 3 if there is no such object"
  ),
  Command.withExamples([{ command: "effect-oss rm oss://backups/2026/db.tar" }])
)

const verify = Command.make(
  "verify",
  {
    files: files("Files, or directories with all that is in them (DIR/ for the content alone)"),
    url,
    ...UploadFlags.selection,
    json,
    retryFor: UploadFlags.transfer.retryFor,
    ...connection
  },
  (input) =>
    load(() => import("./internal/commands/verify.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      orInterrupted
    )
).pipe(
  Command.withShortDescription("Compare files with what is stored, and send nothing"),
  Command.withDescription(
    "Compare files with what is stored, by CRC64: they are read here, and nothing is sent. Exit code 0 if all are the same, else 3"
  ),
  Command.withExamples([
    { command: "effect-oss verify db.tar oss://backups/2026/" },
    { command: "effect-oss verify photos oss://backups/ --exclude .cache" }
  ])
)

const emulator = Command.make(
  "emulator",
  {
    port: Flag.Int("port").pipe(
      Flag.withDescription("Default: 0, any free one"),
      Flag.withMetavar("N"),
      Flag.withDefault(0)
    ),
    host: Flag.String("host").pipe(
      Flag.withDescription("The address to listen on; 0.0.0.0 lets other machines in"),
      Flag.withMetavar("HOST"),
      Flag.withDefault("127.0.0.1")
    ),
    dataDir: directoryFlag("data-dir").pipe(
      Flag.withDescription("Where everything is kept. Default: in memory")
    ),
    seed: directoryFlag("seed").pipe(
      Flag.withDescription("Its subdirectories become buckets with their files as objects")
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
    sessionToken: Flag.Redacted("session-token").pipe(
      Flag.withDescription("The token that each request must carry, as temporary keys have one"),
      Flag.withMetavar("TOKEN"),
      Flag.optional
    ),
    bucket: Flag.String("bucket").pipe(
      Flag.withDescription(
        "A bucket that exists; may be repeated. Default: any, from its first use on"
      ),
      Flag.withMetavar("BUCKET"),
      Flag.atLeast(0)
    ),
    region: Flag.String("region").pipe(
      Flag.withDescription("The region that signatures must name. Default: any"),
      Flag.withMetavar("REGION"),
      Flag.optional
    ),
    cors: Flag.String("cors").pipe(
      Flag.withDescription("An origin whose pages may use the emulator, or *; may be repeated"),
      Flag.withMetavar("ORIGIN"),
      Flag.atLeast(0)
    ),
    log: Flag.Boolean("log").pipe(
      Flag.withDescription("Write a line for each request to standard error"),
      Flag.withDefault(false)
    )
  },
  (input) =>
    load(() => import("./internal/commands/emulator.ts")).pipe(
      Effect.flatMap(({ run }) => run(input)),
      untilSignal
    )
).pipe(
  Command.withDescription("Run an OSS on this machine, until SIGINT or SIGTERM"),
  Command.withExamples([{ command: "effect-oss emulator --port 9000 --bucket backups" }])
)

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
      "Environment: OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, OSS_SESSION_TOKEN (temporary keys), OSS_REGION, OSS_ENDPOINT, OSS_PATH_STYLE, OSS_CNAME, NO_COLOR. Flags win.",
      "",
      "Ctrl-C stops cleanly; once more, at once. Either way the same command carries on.",
      "",
      "Exit codes: 0 done; 1 failed, run the same command again to carry on; 2 wrong usage, nothing was sent; 3 failed for good; 129, 130, 143 interrupted by SIGHUP, SIGINT or SIGTERM, carry on as after 1."
    ].join("\n  ")
  ),
  Command.withExamples([
    { command: "effect-oss upload db.tar oss://backups/2026/" },
    { command: "effect-oss pending" },
    {
      command: "effect-oss --completions bash >> ~/.bashrc",
      description: "To have shells complete commands, flags and files"
    }
  ]),
  Command.withSubcommands([
    upload,
    pending,
    abort,
    sweep,
    ls,
    stat,
    verify,
    rm,
    emulator,
    { group: "UPLOADS BY MANY MACHINES", commands: ClusterCommand.commands }
  ])
)
