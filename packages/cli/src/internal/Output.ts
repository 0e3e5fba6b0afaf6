/**
 * Where the command writes. Standard output has the result: the bar, plain
 * lines, or events as JSON. Standard error has warnings and the two lines of an
 * error, so that a script can catch them apart.
 */
import type { Screen } from "@effect-oss/terminal/Screen"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Unwritten } from "./CliFailure.ts"

/**
 * Standard output and standard error. Writing never fails: an upload goes on
 * when its reader has gone.
 */
export class Output extends Context.Service<
  Output,
  {
    /** Writes to standard output. */
    readonly out: (text: string) => Effect.Effect<void>
    /** Writes to standard error. */
    readonly error: (text: string) => Effect.Effect<void>
    /** Fails if output was lost, for example because a disk is full. */
    readonly written: Effect.Effect<void, Unwritten>
    /** False if the reader of standard output has gone. A command with no other effect can stop then. */
    readonly isRead: Effect.Effect<boolean>
    /** Standard output as a screen for progress. */
    readonly screen: Screen
  }
>()("@effect-oss/cli/Output") {}
