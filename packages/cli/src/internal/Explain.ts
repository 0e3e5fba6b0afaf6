/**
 * Explains each error to the user: what happened, what to do about it, and the
 * exit code. Errors have their own remedies. This file has only the remedies
 * that name flags or variables of the command.
 */
import type { NotReady } from "@effect-oss/cluster/UploadRunner"
import type { Cancelled, UnknownUpload } from "@effect-oss/cluster/ClusterError"
import type { CheckpointError } from "@effect-oss/core/CheckpointStore"
import type { AccessDenied, OssError } from "@effect-oss/core/OssError"
import { printable } from "@effect-oss/terminal/Text"
import type { SourceError } from "@effect-oss/core/Source"
import type { UploadError } from "@effect-oss/core/Upload"
import type { InvalidRequest } from "@effect-oss/core/UploadError"
import * as Cause from "effect/Cause"
import type { CliError } from "effect/cli/CliError"
import type { ConfigError } from "effect/Config"
import * as Option from "effect/Option"
import * as SchemaIssue from "effect/SchemaIssue"
import type { SqlError } from "effect/sql/SqlError"
import type {
  Interrupted,
  NothingMatches,
  NotStored,
  Piped,
  SomeFailed,
  UnderWay,
  Unwritten,
  UsageError
} from "./CliFailure.ts"
import { explainArgument } from "./arguments.ts"

/**
 * The exit codes:
 *
 * - 0: done
 * - 1: failed; run the same command again to resume
 * - 2: wrong usage; nothing was sent
 * - 3: failed for good
 * - 129, 130, 143: interrupted by SIGHUP, SIGINT or SIGTERM; run the same
 *   command again to resume
 */
export type ExitCode = 0 | 1 | 2 | 3 | 129 | 130 | 143

/** The failures of the command. */
export type Failure =
  | UploadError
  | UsageError
  | Interrupted
  | Cancelled
  | UnknownUpload
  | NotReady
  | SqlError
  | UnderWay
  | Piped
  | NothingMatches
  | NotStored
  | SomeFailed
  | Unwritten
  | ConfigError
  | CliError

/** The explanation of an error. Each text is one line. */
export interface Explanation {
  readonly what: string
  /** The next step. */
  readonly todo: string
  readonly exitCode: Exclude<ExitCode, 0>
}

/** True if the same command resumes where this one stopped. */
export const isResumable = ({ exitCode }: Explanation): boolean => exitCode !== 2 && exitCode !== 3

/** Explains an error. */
export const explain = (failure: Failure): Explanation => {
  const { what, todo, exitCode } = explained(failure)
  return { what: printable(what), todo: printable(todo), exitCode }
}

const explained = (failure: Failure): Explanation => {
  switch (failure._tag) {
    case "OssError":
      return { what: failure.problem, ...ofOss(failure) }
    case "SourceError":
      return { what: failure.problem, ...ofSource(failure) }
    case "CheckpointError":
      return { what: failure.problem, ...ofCheckpoint(failure) }
    case "UnderWay":
      return ofUnderWay(failure)
    case "Piped":
      return ofPiped(failure)
    case "NothingMatches":
      return { what: failure.problem, todo: mendPattern, exitCode: 1 }
    case "InvalidRequest":
      return ofRequest(failure)
    case "ConfigError":
      return ofConfig(failure)
    case "UsageError":
      return { what: failure.problem, todo: failure.remedy, exitCode: 2 }
    case "SomeFailed":
      return { what: failure.message, ...ofMany(failure) }
    case "Cancelled":
      return {
        what: `${failure.key}: the upload was cancelled`,
        ...final("submit it again, if that was a mistake")
      }
    case "UnknownUpload":
      return {
        what: failure.message,
        ...usage('see "effect-oss list", or check --database-url or EFFECT_OSS_DATABASE_URL')
      }
    case "NotReady":
      return ofRunner(failure)
    case "SqlError":
      return ofDatabase(failure)
    case "NotStored":
      return { what: failure.problem, ...final(failure.remedy) }
    case "Unwritten":
      return {
        what: failure.message,
        todo: "free space where the output goes, then run it again",
        exitCode: 1
      }
    case "Interrupted":
      return { what: failure.message, todo: again, exitCode: signalCodes[failure.signal] }
    default:
      return ofCommandLine(failure)
  }
}

/** Explains the cause that ended a command. */
export const explainCause = (cause: Cause.Cause<Failure>): Explanation =>
  Option.match(Cause.findErrorOption(cause), {
    onNone: () => explainDefect(Cause.squash(cause)),
    onSome: explain
  })

/**
 * Explains a defect of the program. If the database is gone, the workflow engine
 * reports a defect too: then it explains the database's error.
 */
export const explainDefect = (defect: unknown): Explanation =>
  isSqlError(defect)
    ? explain(defect)
    : {
        what: printable(`the program has a defect: ${String(defect)}`),
        todo: `${again}; if it comes again, report it with this message`,
        exitCode: 1
      }

/** Compares the name, because comparing the class would load it. */
const isSqlError = (defect: unknown): defect is SqlError =>
  defect instanceof Error && "_tag" in defect && defect._tag === "SqlError"

/**
 * The exit code of several failures. 1 wins, because running the same command
 * again helps. Start with 3 if other files may have been sent, because 2
 * promises that nothing was.
 */
export const gravest = (worst: 1 | 2 | 3, exitCode: ExitCode): 1 | 2 | 3 => {
  if (worst === 1 || (exitCode !== 2 && exitCode !== 3)) return 1
  return worst === 3 ? 3 : exitCode
}

type Rest = Pick<Explanation, "todo" | "exitCode">

const again = "run the same command again to carry on"
const resumable = (todo: string): Rest => ({ todo: `${todo}, then ${again}`, exitCode: 1 })
const usage = (todo: string): Rest => ({ todo, exitCode: 2 })
const final = (todo: string): Rest => ({ todo, exitCode: 3 })

/** The rest of an explanation, depending on whether running the command again resumes. */
const ending = ({ isResumable }: { readonly isResumable: boolean }, todo: string): Rest =>
  isResumable ? resumable(todo) : final(todo)

const ofMany = ({ exitCode, hint = "" }: SomeFailed): Rest => {
  const then = exitCode === 1 ? again : "run the command again"
  return { todo: `mend what is said above, then ${then}${hint}`, exitCode }
}

const signalCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

const ofOss = (error: OssError): Rest =>
  isUnmade(error)
    ? usage('see the flags about how the object is stored: "effect-oss upload --help"')
    : ending(error, remedyOf(error))

/** Whether the request could not be made, because HTTP can't express the value of a flag. */
const isUnmade = ({ reason, operation, status }: OssError): boolean =>
  reason._tag === "Rejected" &&
  status === undefined &&
  (operation === "initiate" || operation === "put")

/**
 * The remedy in the words of the command, if the library's remedy names options
 * that are flags here.
 */
const remedyOf = ({ reason, bucket }: OssError): string => {
  switch (reason._tag) {
    case "Transport":
      return "check the network and the endpoint (--endpoint, OSS_ENDPOINT or the region)"
    case "Timeout":
    case "Stalled":
      return "check the network, or give a smaller --parallel"
    case "Throttled":
      return "wait a while, or give a smaller --parallel"
    case "UnreadableResponse":
      return "check that the endpoint (--endpoint, OSS_ENDPOINT) is OSS and not a proxy"
    case "NotOss":
      return reason.status === 413
        ? "give a smaller --part-size than the proxy's limit for a request's body"
        : reason.remedy
    case "CredentialsExpired":
      if (reason.isOutage === true) return reason.remedy
      return "get new keys and set OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and OSS_SESSION_TOKEN"
    case "AccessDenied":
      return afterDenial(reason)
    case "PublicEndpointForbidden":
      return "map a custom domain to the bucket and give it with --endpoint and --cname, or give the internal endpoint from inside Alibaba Cloud"
    case "NoSuchBucket":
      return `check the name "${bucket}" and the region (--region, OSS_REGION), or create the bucket`
    case "AlreadyExists":
      return "choose another key, or leave --forbid-overwrite out to replace the object"
    case "NoSuchKey":
      return "check the endpoint (--endpoint, OSS_ENDPOINT): OSS denies what it stored"
    default:
      return reason.remedy
  }
}

const afterDenial = ({ code, description, remedy }: AccessDenied): string => {
  switch (code) {
    case "SignatureDoesNotMatch":
      return "set OSS_ACCESS_KEY_SECRET to the secret of OSS_ACCESS_KEY_ID, and check the region (--region, OSS_REGION)"
    case "InvalidAccessKeyId":
      return "set OSS_ACCESS_KEY_ID to an access key that exists and is enabled; temporary keys need OSS_SESSION_TOKEN too"
    case "InvalidSecurityToken":
      return "set OSS_SESSION_TOKEN to the token that came with the keys, or unset it"
    default:
      return /endpoint/i.test(description)
        ? "give the bucket's own endpoint (--endpoint, OSS_ENDPOINT) or region (--region, OSS_REGION)"
        : remedy
  }
}

/** Before anything is sent, an unreadable source is a wrong argument. */
const ofSource = ({ source, reason }: SourceError): Rest => {
  switch (reason._tag) {
    case "SourceNotAFile":
      return usage(
        reason.type === "Directory"
          ? "name that directory itself, since links to directories are not followed, or pack it with tar"
          : "give a regular file: write the data into one first"
      )
    case "SourceUnreadable":
      return usage(
        reason.advice ?? `let this user read the file: chmod u+r ${source}, or run as its owner`
      )
    case "SourceChanged":
      return final("stop what writes to the file, or upload a copy of it, then run again")
    default:
      return usage(reason.remedy)
  }
}

const ofCheckpoint = ({ location, reason }: CheckpointError): Rest => {
  switch (reason._tag) {
    case "Damaged":
      return final(`delete ${location} and run again: the upload starts afresh`)
    case "UnknownVersion":
      return final(`use a newer effect-oss, or delete ${location} and run again to start afresh`)
    case "Unavailable":
      return usage("give --checkpoint-dir a directory that this user can write to")
    case "Untrusted":
      return usage(
        "take others' right to write to it (chmod go-w), give --checkpoint-dir another directory, or allow it with --allow-shared-checkpoints"
      )
    default:
      return ending(reason, reason.remedy)
  }
}

/** The explanation of the same reasons after parts have been sent. */
const ofUnderWay = ({ error }: UnderWay): Explanation => {
  if (error._tag === "SourceError" && error.reason._tag === "SourceUnreadable") {
    return { what: error.problem, ...resumable("see that the file's disk is there and readable") }
  }
  if (error._tag === "CheckpointError" && error.reason._tag === "Unavailable") {
    return {
      what: error.problem,
      ...resumable("free space on that disk and see that it can be written to")
    }
  }
  return explained(error)
}

/** The explanation of everything that a runner lacks. */
const ofRunner = ({ problems }: NotReady): Explanation => {
  const all = problems.map(explained)
  return {
    what: `the runner is not ready: ${all.map(({ what }) => what).join("; ")}`,
    todo: Array.from(new Set(all.map(({ todo }) => todo))).join("; "),
    exitCode: all.map(({ exitCode }) => exitCode).reduce(gravest, 2)
  }
}

const mendPattern = "mend the pattern or the path, or add --allow-empty if that is what you expect"

/**
 * The explanation of a failed upload that can't be resumed, because its bytes
 * can be read only once.
 */
const ofPiped = ({ error }: Piped): Explanation => {
  if (error._tag === "SourceError") {
    const { reason, problem } = error
    const advice = reason._tag === "SourceUnreadable" ? reason.advice : undefined
    return {
      what: problem,
      ...final(`nothing was stored: ${advice ?? "see why it failed, then run it again"}`)
    }
  }
  const { what, todo, exitCode } = explained(error)
  return {
    what,
    todo: todo.replace(again, "run the whole command again, from the start"),
    exitCode
  }
}

/** The driver says what failed; the server or the system says why. */
const ofDatabase = ({ message, reason }: SqlError): Explanation => {
  const why = reason.cause instanceof Error ? `: ${reason.cause.message}` : ""
  return {
    what: printable(`the database: ${message}${why}`),
    ...(reason.isRetryable
      ? resumable("see that it runs, and check --database-url or EFFECT_OSS_DATABASE_URL")
      : usage("check the user, password and name in --database-url or EFFECT_OSS_DATABASE_URL"))
  }
}

/** The explanation of a wrong option, by its flag. */
const ofRequest = ({ field, problem, remedy }: InvalidRequest): Explanation => ({
  what: `${fields[field] ?? field}: ${problem}`,
  ...usage(remedy)
})

const fields: Readonly<Record<string, string>> = {
  key: "the object's key",
  bucket: "the bucket",
  partSize: "--part-size",
  concurrency: "--parallel",
  stallTimeout: "--stall-timeout",
  region: "--region or OSS_REGION",
  endpoint: "--endpoint or OSS_ENDPOINT",
  database: "--database-url",
  roots: "--root"
}

/** The explanation of a wrong variable. It never shows a value, which may be secret. */
const ofConfig = ({ cause }: ConfigError): Explanation => {
  if (cause._tag === "SourceError") {
    return { what: cause.message, ...usage("see that the environment can be read") }
  }
  const [issue] = SchemaIssue.makeFormatterStandardSchemaV1()(cause.issue).issues
  const name = (issue?.path ?? []).map(String).join(".")
  return secrets.has(name)
    ? {
        what: `${name} is not set`,
        ...usage(`set the environment variable ${name}`)
      }
    : { what: `${name}: ${issue?.message}`, ...usage(`set ${name} to such a value, or unset it`) }
}

/** Variables without a flag. */
const secrets: ReadonlySet<string> = new Set(["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"])

/** The explanation of errors of `effect/cli`. */
const ofCommandLine = (failure: CliError): Explanation => {
  if (failure._tag !== "ShowHelp") {
    return { what: failure.message, ...usage('see "effect-oss --help"') }
  }
  const help = `see "${failure.commandPath.join(" ")} --help"`
  const [error] = failure.errors
  if (error === undefined) return { what: "a command is missing", ...usage(help) }
  const { what, todo } = explainArgument(error)
  return { what, ...usage(todo === undefined ? help : `${todo} ${help}`) }
}
