/** Writes the events of an upload, for people or as lines of JSON. */
import { type UploadEvent, UploadEventJson } from "@effect-oss/core/UploadEvent"
import * as Display from "@effect-oss/terminal/Display"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { jsonLine } from "./json.ts"
import { Output } from "./Output.ts"

/** Writes one event. */
export interface Reporter {
  (event: UploadEvent): Effect.Effect<void>
}

/**
 * Writes events as JSON, one a line, with bigints as decimal text. Without
 * `progress`, it omits samples of `Progress`.
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
          : Effect.flatMap(Effect.orDie(encode(event)), (value) => out(jsonLine(value)))
  )

const encode = Schema.encodeEffect(UploadEventJson)

/** Writes events for people. Without `progress`, it writes only the last line. */
export const human = (options: {
  readonly progress: boolean
}): Effect.Effect<Reporter, never, Output | Scope.Scope> =>
  Effect.flatMap(Output, ({ screen }) => Display.make(screen, options))
