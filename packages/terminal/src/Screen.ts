/**
 * A place to show progress: lines that stay and, on a terminal, pinned lines
 * below them that are redrawn.
 *
 * @since 0.1.0
 */
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Terminal } from "effect/Terminal"
import type { Size } from "./internal/size.ts"
import { usualSize } from "./internal/size.ts"
import { Pinned } from "./Pinned.ts"

/**
 * A place for text. Writing never fails: an upload continues after its reader
 * has gone.
 *
 * @category models
 * @since 0.1.0
 */
export interface Screen {
  /** Writes text above the pinned lines. The text must end with a line end. */
  readonly write: (text: string) => Effect.Effect<void>
  /** Keeps these lines at the bottom until the next call replaces them. Does nothing without a `size`. */
  readonly pin: (lines: ReadonlyArray<string>) => Effect.Effect<void>
  /** The current size; none if lines can't be redrawn. */
  readonly size: Option.Option<Effect.Effect<Size>>
  /** True if the screen shows colours. */
  readonly color: boolean
}

/**
 * Makes a screen of your own. It calls `write` once for each text, control
 * codes included. Keep the order of the calls.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly write: (text: string) => Effect.Effect<void>
  /** The current size. Default: lines can't be redrawn. */
  readonly size?: Effect.Effect<Size> | undefined
  /** Default: false. */
  readonly color?: boolean | undefined
  /** Set it to share the pinned lines with other writers. Default: a new one. */
  readonly pinned?: Pinned | undefined
}): Screen => {
  const { write, size, color = false, pinned = new Pinned() } = options
  const send = (text: (columns: number) => string) =>
    Effect.flatMap(size ?? Effect.succeed(usualSize), ({ columns }) => {
      const now = text(columns)
      return now === "" ? Effect.void : write(now)
    })
  return {
    write: (text) => send((columns) => pinned.above(text, columns)),
    pin: (lines) =>
      size === undefined ? Effect.void : send((columns) => pinned.pin(lines, columns)),
    size: Option.fromUndefinedOr(size),
    color
  }
}

/**
 * Standard output. It is redrawn if `TerminalCapabilities` allows it: not in a
 * pipe, and not with `TERM=dumb`. It honours `NO_COLOR` and `FORCE_COLOR`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const standardOutput: Effect.Effect<Screen, never, Terminal> = Effect.gen(function* () {
  const terminal = yield* Terminal
  const { canAnimate, canColor } = yield* TerminalCapabilities
  const size = Effect.map(
    Effect.all({ columns: terminal.columns, rows: terminal.rows }),
    ({ columns, rows }): Size => ({
      columns: columns || usualSize.columns,
      rows: rows || usualSize.rows
    })
  )
  return make({
    write: (text) => Effect.ignore(terminal.display(text)),
    size: canAnimate ? size : undefined,
    color: canColor
  })
})
