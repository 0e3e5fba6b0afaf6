/**
 * Shows an upload while it runs: on a terminal a bar that is drawn again and
 * again below the lines that stay, elsewhere plain lines.
 *
 * @since 0.1.0
 */
import type { UploadEvent } from "@effect-oss/core/UploadEvent"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Terminal } from "effect/Terminal"
import * as Monotonic from "./internal/monotonic.ts"
import * as Frames from "./internal/frames.ts"
import * as Line from "./internal/line.ts"
import * as View from "./internal/view.ts"
import type { Screen } from "./Screen.ts"
import { standardOutput } from "./Screen.ts"

/**
 * How uploads are shown.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** True: bars of block characters. Default: ASCII. */
  readonly unicode?: boolean | undefined
  /** False: only the last line. Default: true. */
  readonly progress?: boolean | undefined
}

/**
 * Yields a function that shows one event of an upload on a screen. When the
 * scope closes, the line of the bar is left empty.
 *
 * @category showing
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  screen: Screen,
  { progress = true, unicode }: Options = {}
): Effect.fn.Return<(event: UploadEvent) => Effect.Effect<void>, never, Scope.Scope> {
  const { color } = screen
  const style = !progress ? "Summary" : Option.isSome(screen.size) ? "Bar" : "Lines"
  let view = View.initial(yield* Monotonic.now)
  let shown = false
  const bar = (columns: number) => Line.drawn(view, { columns, unicode, color })
  const { draw } = yield* Frames.loop(screen, (_, { columns }) =>
    shown && style === "Bar" ? [bar(columns - Frames.spare)] : []
  )
  return Effect.fnUntraced(function* (event) {
    const { view: after, lines } = View.next(view, event, yield* Monotonic.now, style)
    const changes = shown !== (event._tag !== "Completed")
    view = after
    shown = event._tag !== "Completed"
    if (changes && !shown) yield* draw
    if (lines.length > 0) yield* screen.write(lines.map((line) => `${line}\n`).join(""))
    if (changes && shown) yield* draw
  })
})

/**
 * Shows the events on standard output as they pass by.
 *
 * **Example** (an upload with a progress bar)
 *
 * ```ts
 * import { Source, Upload } from "@effect-oss/core"
 * import { Display } from "@effect-oss/terminal"
 * import { Stream } from "effect"
 *
 * const program = Upload.events({ key: "backups/db.tar", source: Source.file("db.tar") }).pipe(
 *   Display.show({ unicode: true }),
 *   Stream.runDrain
 * )
 * ```
 *
 * @category showing
 * @since 0.1.0
 */
export const show =
  (options?: Options) =>
  <E, R>(events: Stream.Stream<UploadEvent, E, R>): Stream.Stream<UploadEvent, E, R | Terminal> =>
    Stream.unwrap(
      Effect.map(
        Effect.flatMap(standardOutput, (screen) => make(screen, options)),
        (report) => Stream.tap(events, report)
      )
    )
