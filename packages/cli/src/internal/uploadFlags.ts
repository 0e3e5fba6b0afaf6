/** The flags of `upload` for choosing files and what to do with them. */
import * as Flag from "effect/cli/Flag"
import * as Age from "./Age.ts"
import { fileFlag, optionalFiles, partSize, url } from "./params.ts"

const patterns = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("GLOB"),
    Flag.atLeast(0)
  )

const size = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar("SIZE"), Flag.optional)

/** A flag that is false by default. */
export const plainFlag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(
    Flag.withDescription(description),
    Flag.withoutNegation,
    Flag.withDefault(false)
  )

/** Flags of the source. */
export const sources = {
  files: optionalFiles(
    "Files, directories with all that is in them (DIR/ for the content alone), or - for standard input"
  ),
  url,
  filesFrom: fileFlag("files-from").pipe(
    Flag.withDescription(
      "Upload the paths listed in FILE, or - for standard input, one a line or separated by NUL"
    )
  ),
  command: Flag.String("command").pipe(
    Flag.withDescription(
      "Upload what a shell command prints; nothing is stored unless it exits with 0"
    ),
    Flag.withMetavar("COMMAND"),
    Flag.optional
  ),
  expectedSize: size(
    "expected-size",
    "How long standard input, a pipe or a command's output may become; needed above 1 TiB"
  )
}

/** Flags that choose among the files found. */
export const selection = {
  include: patterns("include", "Of directories, only what matches, such as '*.jpg'"),
  exclude: patterns("exclude", "Of directories, not what matches, such as .git or '*.pem'"),
  links: Flag.Literals("links", ["follow", "skip", "fail"]).pipe(
    Flag.withDescription(
      "What becomes of symbolic links to directories. Default: skip, and say so"
    ),
    Flag.withDefault("skip" as const)
  ),
  newerThan: Flag.String("newer-than").pipe(
    Flag.withDescription(`Only files changed since: ${Age.syntax}, or a date such as 2026-03-01`),
    Flag.withMetavar("AGE"),
    Flag.optional
  ),
  maxSize: size("max-size", "Only files up to this size, such as 100MB"),
  allowEmpty: plainFlag(
    "allow-empty",
    "Exit with 0 even if a pattern matches nothing or nothing is to be uploaded; store a stream that is empty"
  )
}

/** Flags for what to do with the files. */
export const transfer = {
  dryRun: plainFlag("dry-run", "Send nothing: only say what would be uploaded to where"),
  skipIdentical: plainFlag("skip-identical", "The same as --skip crc64"),
  skip: Flag.Literals("skip", ["size-time", "crc64"]).pipe(
    Flag.withDescription(
      "Send nothing that is stored with the same size, and after the file's last change (size-time) or with the same CRC64 (crc64, which reads the file)"
    ),
    Flag.optional
  ),
  limitRate: size("limit-rate", "At most this much a second, all uploads together, such as 2MB"),
  discover: plainFlag(
    "discover",
    "Without a checkpoint, look for the upload at OSS. Not while another process sends it"
  ),
  partSize,
  parallel: Flag.Int("parallel").pipe(
    Flag.withDescription("How many parts are on their way at once. Default: 5"),
    Flag.withMetavar("N"),
    Flag.withDefault(5)
  ),
  retryFor: Flag.String("retry-for").pipe(
    Flag.withDescription(
      "Wait this long for a network or an OSS that is away, from the last success on, such as 1h. Default: 10m"
    ),
    Flag.withMetavar("TIME"),
    Flag.withDefault("10m")
  ),
  stallTimeout: Flag.String("stall-timeout").pipe(
    Flag.withDescription(
      "Send a part again if nothing of it has moved for this long, such as 2m. Default: 30s"
    ),
    Flag.withMetavar("TIME"),
    Flag.withDefault("30s")
  )
}
