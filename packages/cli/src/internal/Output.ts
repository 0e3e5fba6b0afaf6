/**
 * Where the command writes. Standard output is for what was asked for: the bar,
 * plain lines, or events as JSON. Standard error has the two lines of an error,
 * and warnings, so that a script can catch them apart.
 */
import type { Screen } from "@effect-oss/terminal/Screen"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Unwritten } from "./CliFailure.ts"

/** Standard output and standard error. Writing never fails: an upload goes on when its reader has gone. */
export class Output extends Context.Service<
  Output,
  {
    /** Writes to standard output. */
    readonly out: (text: string) => Effect.Effect<void>
    /** Writes to standard error. */
    readonly error: (text: string) => Effect.Effect<void>
    /** Fails if something that was written to standard output is lost, because a disk is full for instance. */
    readonly written: Effect.Effect<void, Unwritten>
    /** False once the reader of standard output has gone: what has no other effect need not go on. */
    readonly isRead: Effect.Effect<boolean>
    /** Standard output, as what progress is shown on. */
    readonly screen: Screen
  }
>()("@effect-oss/cli/Output") {}
