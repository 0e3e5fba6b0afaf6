/** `effect-oss sweep`: gives up old unfinished uploads. */
import { printable } from "@effect-oss/terminal/Text"
import * as Upload from "@effect-oss/core/Upload"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Age from "../Age.ts"
import { Output } from "../Output.ts"
import { directoryOf, layerStore } from "../checkpointDirectory.ts"
import type { StoreInput } from "../checkpointDirectory.ts"
import type { Connection } from "../connection.ts"
import { layerClient } from "../connection.ts"
import { describe } from "../summaries.ts"
import * as Finished from "../upload/finished.ts"

export interface Input extends Connection, StoreInput {
  readonly olderThan: string
  readonly yes: boolean
  readonly dryRun: boolean
}

export const run = Effect.fn("sweep")(function* (input: Input) {
  const { out } = yield* Output
  const yes = input.yes && !input.dryRun
  const olderThan = yield* Effect.fromResult(Age.parse("--older-than", input.olderThan))
  const swept = yield* Effect.gen(function* () {
    const headers = yield* Stream.runCollect(Stream.map(Upload.pending, ({ header }) => header))
    const buckets = Array.from(new Set(headers.map(({ bucket }) => bucket))).sort()
    const sweep = Upload.sweep({ olderThan, dryRun: !yes })
    return yield* Effect.forEach(buckets, (bucket) =>
      Effect.provide(sweep, layerClient(bucket, input))
    )
  }).pipe(Effect.provide(layerStore(input)))
  if (yes) {
    const latest = (yield* Clock.currentTimeMillis) - Duration.toMillis(olderThan)
    yield* Finished.sweep(yield* directoryOf(input.checkpointDir), latest)
  }
  const lines = swept
    .flat()
    .map((summary) => `${yes ? "gave up" : "would give up"} ${describe(summary)}`)
  if (lines.length === 0) lines.push(`nothing is older than ${input.olderThan}`)
  else if (!yes) lines.push("nothing was given up: add --yes to do it")
  yield* out(lines.map((line) => `${printable(line)}\n`).join(""))
})
