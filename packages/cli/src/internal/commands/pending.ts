/** `effect-oss pending`: lists the uploads that can be resumed, the newest first. */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import * as Upload from "@effect-oss/core/Upload"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { layerStore } from "../checkpointDirectory.ts"
import type { StoreInput } from "../checkpointDirectory.ts"
import { jsonLine } from "../json.ts"
import { Output } from "../Output.ts"
import { pendingTable } from "../PendingTable.ts"

export interface Input extends StoreInput {
  readonly json: boolean
}

export const run = Effect.fn("pending")(function* (input: Input) {
  const { out } = yield* Output
  const found = yield* Stream.runCollect(Upload.pending).pipe(Effect.provide(layerStore(input)))
  const summaries = found.sort((a, b) => b.header.createdAt - a.header.createdAt)
  const now = yield* Clock.currentTimeMillis
  const lines = input.json
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
