/**
 * Where progress is shown: lines that stay and, on a terminal, lines that are
 * pinned below them and drawn again and again.
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
 * A place for text. Writing never fails: an upload goes on when its reader has
 * gone.
 *
 * @category models
 * @since 0.1.0
 */
export interface Screen {
  /** Writes text that ends with a line end, above the pinned lines. */
  readonly write: (text: string) => Effect.Effect<void>
  /** Keeps these lines at the bottom until the next call replaces them. Does nothing without a `size`. */
  readonly pin: (lines: ReadonlyArray<string>) => Effect.Effect<void>
  /** The size now, if lines can be drawn again. */
  readonly size: Option.Option<Effect.Effect<Size>>
  /** True if colour codes are shown as colours. */
  readonly color: boolean
}

/**
 * A screen of your own. `write` gets each text once, control codes included;
 * call it in order.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly write: (text: string) => Effect.Effect<void>
  /** The size now. Default: lines can't be drawn again. */
  readonly size?: Effect.Effect<Size> | undefined
  /** Default: false. */
  readonly color?: boolean | undefined
  /** Give it to share the pinned lines with other writers. Default: a new one. */
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
 * Standard output, drawn again if `TerminalCapabilities` says that it can be:
 * not in a pipe, and not with `TERM=dumb`. `NO_COLOR` and `FORCE_COLOR` are
 * honoured.
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
