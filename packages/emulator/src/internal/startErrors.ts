/** Explains why the emulator can't start, and how to fix it. */
import type { ServeError } from "effect/http/HttpServerError"
import type { PlatformError } from "effect/PlatformError"
import { type Refusal, StartError } from "../EmulatorError.ts"
import type { CorsRule, ServerOptions } from "../OssEmulator.ts"
import type { JournalError } from "./bytes/journal.ts"
import type { DirectoryInUse } from "./bytes/owner.ts"
import type { SeedError } from "./seed.ts"

export type Problem =
  | StartError
  | ServeError
  | PlatformError
  | JournalError
  | DirectoryInUse
  | SeedError
  | Refusal

const about = (option: StartError["option"], problem: string, remedy: string) =>
  new StartError({ option, problem, remedy })

/** The error for the first invalid option, if there is one. */
export const wrongOption = ({ port = 0, cors = [] }: ServerOptions): StartError | undefined =>
  isPort(port) ? wrongOrigin(cors) : noPort(port)

const isPort = (port: number) => Number.isInteger(port) && port >= 0 && port <= 65_535

const noPort = (port: number) =>
  about("port", `${port} is no port`, "give a number from 1 to 65535, or 0 for any free port")

/** The form of a browser's `Origin`, with `*` for a part of it. */
const origin = /^(?:null|\*[^/\s]*|(?:[a-z][a-z0-9+.*-]*|\*):\/\/[^/?#\s]+)$/i

const wrongOrigin = (rules: ReadonlyArray<CorsRule>): StartError | undefined => {
  const wrong = rules
    .flatMap(({ allowedOrigins }) => allowedOrigins)
    .find((text) => !origin.test(text))
  return wrong === undefined
    ? undefined
    : about(
        "cors",
        `${JSON.stringify(wrong)} is no origin`,
        `give ${nearestOrigin(wrong)}, or * for all origins; an origin has a scheme and no path`
      )
}

/** `localhost:5173` lacks a scheme, `http://localhost:5173/` has a path. */
const nearestOrigin = (text: string): string => {
  const whole = text.includes("://") ? text : `http://${text}`
  const near = /^[^/]+:\/\/[^/?#]*/.exec(whole)?.[0] ?? ""
  return origin.test(near) ? near : "one such as http://localhost:5173"
}

export const explain = (error: Problem, options: ServerOptions): StartError => {
  const { dataDir = "" } = options
  switch (error._tag) {
    case "StartError":
      return error
    case "ServeError":
      return notListening(error.cause, options)
    case "Refusal":
      return about(
        "buckets",
        `${JSON.stringify(error.details["BucketName"] ?? "")} is no name of a bucket`,
        "give 3 to 63 lower-case letters, digits and hyphens"
      )
    case "JournalError":
      return about("dataDir", error.message, `delete ${dataDir} to start afresh`)
    case "DirectoryInUse":
      return about(
        "dataDir",
        error.message,
        "stop the other emulator, or give each a data directory of its own"
      )
    case "SeedError":
      return about("seed", error.message, error.remedy)
    default:
      return about(
        "dataDir",
        `${dataDir} can't be used: ${reasonOf(error)}`,
        "give a directory that you can write to"
      )
  }
}

const notListening = (
  cause: unknown,
  { port = 0, host = "127.0.0.1" }: ServerOptions
): StartError => {
  switch (cause instanceof Error && "code" in cause ? cause.code : undefined) {
    case "EADDRINUSE":
      return about(
        "port",
        `another program listens on port ${port}`,
        "stop that program, or give another port; 0 takes any free one"
      )
    case "EACCES":
      return about(
        "port",
        `you may not listen on port ${port}`,
        "give a port from 1024 on, or 0 for any free one"
      )
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return about(
        "host",
        `${host} is no address of this machine`,
        "give 127.0.0.1 for this machine alone, or 0.0.0.0 to let other machines in"
      )
    default: {
      const reason = cause instanceof Error ? cause.message : String(cause)
      return about(
        "port",
        `the emulator can't listen on ${host}:${port}: ${reason}`,
        "give another port, or 0 for any free one"
      )
    }
  }
}

/** The reason in words, if the system's code has some. */
export const reasonOf = ({ reason, message }: PlatformError): string => {
  switch (reason._tag) {
    case "NotFound":
      return reason.method === "makeDirectory"
        ? "it doesn't exist and can't be created"
        : "it doesn't exist"
    case "PermissionDenied":
      return "permission denied"
    case "AlreadyExists":
      return "it is a file"
    default:
      return message
  }
}
