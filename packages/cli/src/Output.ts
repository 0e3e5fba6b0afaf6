/**
 * Where the command writes. Standard output is for what was asked for: the bar,
 * plain lines, or events as JSON. Standard error has the two lines of an error,
 * and warnings, so that a script can catch them apart.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"

/**
 * Standard output and standard error. Writing never fails: an upload is not
 * given up because nobody reads about it any more.
 *
 * @category services
 * @since 0.1.0
 */
export class Output extends Context.Service<
  Output,
  {
    /** Writes to standard output. */
    readonly out: (text: string) => Effect.Effect<void>
    /** Writes to standard error. */
    readonly error: (text: string) => Effect.Effect<void>
    /** Keeps these lines at the bottom of the terminal, below all that is written, until others take their place. None: nothing is kept. Without a terminal it does nothing. */
    readonly pin: (lines: ReadonlyArray<string>) => Effect.Effect<void>
    /** If standard output is a terminal that can redraw a line. */
    readonly terminal: Option.Option<Terminal>
  }
>()("@effect-oss/cli/Output") {}

/**
 * A terminal.
 *
 * @category models
 * @since 0.1.0
 */
export interface Terminal {
  /** Its size now, in characters. */
  readonly size: Effect.Effect<TerminalSize>
  readonly color: boolean
}

/**
 * The size of a terminal, in characters.
 *
 * @category models
 * @since 0.1.0
 */
export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}
