/**
 * Writes an upload's events as they happen: drawn on a terminal, as plain lines
 * elsewhere, or as one JSON value a line.
 *
 * @since 0.1.0
 */
import * as Render from "@effect-oss/core/Render"
import { UploadEvent } from "@effect-oss/core/UploadEvent"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Output } from "./Output.ts"

/**
 * Writes one event.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reporter {
  (event: UploadEvent): Effect.Effect<void>
}

/**
 * Events as JSON, one a line, bigints as decimal text. Without `progress`,
 * the samples of `Progress` are left out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const json = (options: {
  readonly progress: boolean
}): Effect.Effect<Reporter, never, Output> =>
  Effect.map(
    Output,
    ({ out }): Reporter =>
      (event) =>
        event._tag === "Progress" && !options.progress
          ? Effect.void
          : Effect.flatMap(Effect.orDie(encode(event)), (value) =>
              out(`${JSON.stringify(value)}\n`)
            )
  )

const encode = Schema.encodeEffect(Schema.toCodecJson(UploadEvent))

/**
 * Events for people. The bar is pinned; when the scope closes, it is taken away.
 * Without `progress`, only the last line is written.
 *
 * @category constructors
 * @since 0.1.0
 */
export const human = Effect.fnUntraced(function* (options: {
  readonly progress: boolean
}): Effect.fn.Return<Reporter, never, Output | Scope.Scope> {
  const { out, pin, terminal } = yield* Output
  let view = Render.initial(yield* Clock.currentTimeMillis)
  const style = Effect.suspend((): Effect.Effect<Render.Style> => {
    if (!options.progress) return Effect.succeed({ _tag: "Summary" })
    return Option.match(terminal, {
      onNone: () => Effect.succeed({ _tag: "Lines" }),
      onSome: ({ size, color }) =>
        Effect.map(size, ({ columns }) => ({ _tag: "Bar", columns, color }))
    })
  })
  yield* Effect.addFinalizer(() => pin([]))
  return Effect.fnUntraced(function* (event) {
    const frame = Render.render(view, event, yield* Clock.currentTimeMillis, yield* style)
    view = frame.view
    if (frame.lines.length > 0) yield* out(frame.lines.map((line) => `${line}\n`).join(""))
    if (frame.bar !== undefined) yield* pin(frame.bar === "" ? [] : [frame.bar])
  })
})
