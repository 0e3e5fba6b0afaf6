/** `effect-oss pending`: the uploads that can be resumed, the newest first. */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import * as Upload from "@effect-oss/core/Upload"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { layerStore } from "../checkpointDirectory.ts"
import { jsonLine } from "../json.ts"
import { Output } from "../../Output.ts"
import { pendingTable } from "../../PendingTable.ts"

export interface Input {
  readonly checkpointDir: Option.Option<string>
  readonly json: boolean
}

export const run = Effect.fn("pending")(function* ({ checkpointDir, json }: Input) {
  const { out } = yield* Output
  const found = yield* Stream.runCollect(Upload.pending).pipe(
    Effect.provide(layerStore(checkpointDir))
  )
  const summaries = found.sort((a, b) => b.header.createdAt - a.header.createdAt)
  const now = yield* Clock.currentTimeMillis
  const lines = json
    ? yield* Effect.forEach(summaries, toJson)
    : pendingTable(summaries, now).map((line) => `${line}\n`)
  yield* out(lines.join(""))
})

const toJson = (summary: Checkpoint.Summary) =>
  Effect.map(Effect.orDie(encode(summary)), (value) => jsonLine(value))

const encode = Schema.encodeEffect(
  Schema.toCodecJson(
    Schema.Struct({
      checkpointKey: Schema.String,
      header: Checkpoint.Header,
      durable: Schema.Finite,
      parts: Schema.Finite
    })
  )
)
