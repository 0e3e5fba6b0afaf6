/**
 * Shows the progress of uploads. On a terminal it redraws a bar below the lines
 * that stay; anywhere else it writes plain lines.
 *
 * @since 0.1.0
 */
import type * as UploadMany from "@effect-oss/core/UploadMany"
import type { UploadEvent } from "@effect-oss/core/UploadEvent"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Terminal } from "effect/Terminal"
import * as Board from "./internal/board.ts"
import * as Monotonic from "./internal/monotonic.ts"
import * as Frames from "./internal/frames.ts"
import * as Line from "./internal/line.ts"
import * as View from "./internal/view.ts"
import * as Render from "./Render.ts"
import type { Screen } from "./Screen.ts"
import { standardOutput } from "./Screen.ts"
import { printable } from "./Text.ts"

/**
 * Options of `make` and `show`.
 */
interface Options {
  /** True: draw bars with block characters. Default: ASCII. */
  readonly unicode?: boolean | undefined
  /** False: write only the last line. Default: true. */
  readonly progress?: boolean | undefined
}

/**
 * Returns a function that shows one event of an upload on a screen. When the
 * scope closes, it clears the line of the bar.
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
 * Shows the events on standard output and passes them on.
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

/**
 * Options of `makeMany` and `showMany`.
 */
interface ManyOptions<in Request = never, in E = never> extends Options {
  /** The amount to upload, once it is known. The last line then shows the overall progress. */
  readonly all?: (() => Board.Total | undefined) | undefined
  /** Shows a failure. Default: a line with the error's message. */
  readonly failed?: ((failed: UploadMany.Failed<Request, E>) => Effect.Effect<void>) | undefined
}

/** The part of a request that the display shows. */
interface Keyed {
  readonly key: string
}

/**
 * Returns a function that shows one event of many uploads on a screen. It
 * writes a line for each upload that has ended. On a terminal it also draws a
 * bar for each upload in progress and one for all. When the scope closes, it
 * clears the lines of the bars.
 *
 * @category showing
 * @since 0.1.0
 */
export const makeMany = Effect.fnUntraced(function* <Request extends Keyed, E>(
  screen: Screen,
  { progress = true, unicode, all = () => undefined, failed }: ManyOptions<Request, E> = {}
): Effect.fn.Return<
  (event: UploadMany.Event<Request, E>) => Effect.Effect<void>,
  never,
  Scope.Scope
> {
  const line = (text: string) => screen.write(`${text}\n`)
  let board = Board.empty
  yield* Frames.loop(screen, (_, size) =>
    progress ? Board.render(board, size, { unicode, color: screen.color }, all()) : []
  )
  return (event) =>
    Effect.suspend(() => {
      board = Board.next(board, event)
      switch (event._tag) {
        case "Completed":
        case "Skipped":
          return progress ? line(Render.result(event.result)) : Effect.void
        case "Failed":
          return failed === undefined ? line(failureOf(event)) : failed(event)
        default:
          return Effect.void
      }
    })
})

const failureOf = ({ request, error }: UploadMany.Failed<Keyed, unknown>): string =>
  printable(`failed: ${request.key}: ${error instanceof Error ? error.message : String(error)}`)

/**
 * Shows the events of many uploads on standard output and passes them on. At
 * the end it writes one line for all of them.
 *
 * **Example** (a directory)
 *
 * ```ts
 * import { UploadMany } from "@effect-oss/core"
 * import { Display } from "@effect-oss/terminal"
 * import { Stream } from "effect"
 *
 * const program = UploadMany.events(UploadMany.directory("public", "site")).pipe(
 *   Display.showMany({ unicode: true }),
 *   Stream.runDrain
 * )
 * ```
 *
 * @category showing
 * @since 0.1.0
 */
export const showMany =
  <Request extends Keyed, E>(options?: ManyOptions<Request, E>) =>
  <E2, R>(
    events: Stream.Stream<UploadMany.Event<Request, E>, E2, R>
  ): Stream.Stream<UploadMany.Event<Request, E>, E2, R | Terminal> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const screen = yield* standardOutput
        const report = yield* makeMany(screen, options)
        const startedAt = yield* Monotonic.now
        let last: UploadMany.Totals | undefined
        const summary = Effect.flatMap(Monotonic.now, (now) =>
          last === undefined
            ? Effect.void
            : screen.write(`${Render.totals(last, now - startedAt)}\n`)
        )
        const shown = Stream.tap(events, (event) => {
          if (event._tag === "Totals") last = event
          return report(event)
        })
        return Stream.onEnd(shown, Effect.andThen(screen.pin([]), summary))
      })
    )
