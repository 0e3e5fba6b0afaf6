/** Credentials from a program's output, as with `process_command` of the aliyun command. */
import type * as OssCredentials from "@effect-oss/core/OssCredentials"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as ChildProcess from "effect/process/ChildProcess"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { decode, parse } from "./ask.ts"
import { type CredentialsError, invalid, unavailable } from "./error.ts"

/** In milliseconds. Long enough for a person to log in. */
const patience = 60_000

/** The maximum length of the output, in characters. */
const longest = 64 * 1024

const Printed = Schema.Struct({
  access_key_id: Schema.NonEmptyString,
  access_key_secret: Schema.NonEmptyString,
  sts_token: Schema.optionalKey(Schema.String),
  expiration: Schema.optionalKey(Schema.String)
})

/** Splits the command at spaces, as the aliyun command does. It starts no shell. */
export const run = Effect.fnUntraced(function* (
  source: string,
  command: string
): Effect.fn.Return<OssCredentials.Credentials, CredentialsError, ChildProcessSpawner> {
  const [program = "", ...args] = command.trim().split(/\s+/)
  const named = `${source}: process_command ${program}`
  const text = yield* output(named, program, args).pipe(
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.fail(unavailable(named, `didn't end within ${patience} ms`))
    })
  )
  const keys = yield* decode(named, Printed, yield* parse(named, text))
  const expiresAt = keys.expiration ? DateTime.make(keys.expiration) : undefined
  if (expiresAt?._tag === "None") return yield* invalid(named, "is no time", "expiration")
  return {
    accessKeyId: keys.access_key_id,
    accessKeySecret: Redacted.make(keys.access_key_secret),
    securityToken: keys.sts_token ? Redacted.make(keys.sts_token) : undefined,
    expiresAt: expiresAt && DateTime.toEpochMillis(expiresAt.value)
  }
})

const output = Effect.fnUntraced(
  function* (named: string, program: string, args: ReadonlyArray<string>) {
    const child = yield* ChildProcess.make(program, args, { stdin: "ignore", stderr: "ignore" })
    const text = yield* child.stdout.pipe(
      Stream.decodeText,
      Stream.runFoldEffect(
        () => "",
        (text, more) =>
          text.length + more.length > longest
            ? Effect.fail(invalid(named, "prints too much"))
            : Effect.succeed(text + more)
      )
    )
    const code = yield* child.exitCode
    if (code !== 0) {
      return yield* invalid(named, `exited with ${code}; run it at a shell to see why`)
    }
    return text
  },
  (self, named) =>
    Effect.catchTag(self, "PlatformError", ({ reason }) =>
      Effect.fail(invalid(named, `can't be run (${reason._tag})`))
    )
)
