/**
 * Shows an upload's events where people look: on a terminal one line that is
 * drawn again and again below those that stay, elsewhere plain lines. What they
 * say is `Render`'s business.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { Stdio } from "effect/Stdio"
import * as Stream from "effect/Stream"
import { Terminal } from "effect/Terminal"
import * as Render from "./Render.ts"
import type { UploadEvent } from "./UploadEvent.ts"

/**
 * What events are written to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Screen {
  /** Never fails: an upload is not given up because nobody reads about it any more. */
  readonly write: (text: string) => Effect.Effect<void>
  /** If what was written last can be written over: the width now, in characters. */
  readonly columns: Option.Option<Effect.Effect<number>>
}

/**
 * How events are shown.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Render.Looks {
  /** False: only the last line. Default: true. */
  readonly progress?: boolean | undefined
}

/** Where a terminal doesn't tell its width. */
const usualColumns = 80

/**
 * Standard output; drawn over if it is a terminal.
 *
 * @category constructors
 * @since 0.1.0
 */
export const standardOutput: Effect.Effect<Screen, never, Stdio | Terminal> = Effect.gen(
  function* () {
    const { stdoutIsTerminal } = yield* Stdio
    const { display, columns } = yield* Terminal
    const width = Effect.map(columns, (columns) => columns || usualColumns)
    return {
      write: (text) => Effect.ignore(display(text)),
      columns: (yield* stdoutIsTerminal) ? Option.some(width) : Option.none()
    }
  }
)

/**
 * Yields what writes one event to a screen. When the scope closes, the line of
 * the bar is left empty.
 *
 * @category showing
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  { write, columns }: Screen,
  { progress = true, unicode, color }: Options = {}
): Effect.fn.Return<(event: UploadEvent) => Effect.Effect<void>, never, Scope.Scope> {
  let view = Render.initial(yield* Clock.currentTimeMillis)
  let drawn = ""
  const width = Option.getOrElse(columns, () => Effect.succeed(0))
  const style = Effect.map(width, (now): Render.Style => {
    if (!progress) return { _tag: "Summary" }
    return Option.isNone(columns)
      ? { _tag: "Lines" }
      : { _tag: "Bar", columns: now, unicode, color }
  })
  const erase = Effect.map(width, (columns) => Render.erased([drawn], columns))
  yield* Effect.addFinalizer(() => (drawn === "" ? Effect.void : Effect.flatMap(erase, write)))
  return Effect.fnUntraced(function* (event) {
    const frame = Render.render(view, event, yield* Clock.currentTimeMillis, yield* style)
    view = frame.view
    const bar = frame.bar ?? drawn
    const lines = frame.lines.map((line) => `${line}\n`).join("")
    if (lines === "" && bar === drawn) return
    const text = drawn === "" ? `${lines}${bar}` : `${yield* erase}${lines}${bar}`
    drawn = bar
    yield* write(text)
  })
})

/**
 * The same events, shown on standard output as they pass by.
 *
 * **Gotchas**
 *
 * Where the terminal can't draw over a line (`TERM=dumb`), or where it is not
 * standard output that is to be written to, use `make` with a screen of your own.
 *
 * **Example** (an upload with a progress bar)
 *
 * ```ts
 * import { Display, Source, Upload } from "@effect-oss/core"
 * import { Stream } from "effect"
 *
 * const program = Upload.events({ key: "backups/db.tar", source: Source.file("db.tar") }).pipe(
 *   Display.show({ unicode: true, color: true }),
 *   Stream.runDrain
 * )
 * ```
 *
 * @category showing
 * @since 0.1.0
 */
export const show =
  (options?: Options) =>
  <E, R>(
    events: Stream.Stream<UploadEvent, E, R>
  ): Stream.Stream<UploadEvent, E, R | Stdio | Terminal> =>
    Stream.unwrap(
      Effect.map(
        Effect.flatMap(standardOutput, (screen) => make(screen, options)),
        (report) => Stream.tap(events, report)
      )
    )
