/**
 * Writes an upload's events as they happen: drawn on a terminal, as plain lines
 * elsewhere, or as one JSON value a line.
 *
 * @since 0.1.0
 */
import * as Display from "@effect-oss/core/Display"
import { UploadEvent } from "@effect-oss/core/UploadEvent"
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
 * Events for people. When the scope closes, the line of the bar is left empty.
 * Without `progress`, only the last line is written.
 *
 * @category constructors
 * @since 0.1.0
 */
export const human = ({
  progress
}: {
  readonly progress: boolean
}): Effect.Effect<Reporter, never, Output | Scope.Scope> =>
  Effect.flatMap(Output, ({ out, terminal }) =>
    Display.make(
      { write: out, columns: Option.map(terminal, ({ columns }) => columns) },
      { progress, color: Option.exists(terminal, ({ color }) => color) }
    )
  )
