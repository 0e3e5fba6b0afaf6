/** `effect-oss cleanup`: forgets uploads that ended long ago. */
import * as Uploads from "@effect-oss/cluster/Uploads"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Age from "../Age.ts"
import { jsonText } from "../json.ts"
import { Output } from "../Output.ts"
import { layerClient } from "./cluster.ts"

export interface Input {
  readonly databaseUrl: Option.Option<string>
  readonly olderThan: string
  readonly json: boolean
}

export const run = Effect.fn("cleanup")(function* (input: Input) {
  const { out } = yield* Output
  const olderThan = yield* Effect.fromResult(Age.parse("--older-than", input.olderThan))
  const removed = yield* Uploads.cleanUp({ olderThan }).pipe(
    Effect.provide(layerClient(input.databaseUrl))
  )
  const line = input.json
    ? jsonText({ removed })
    : `forgot ${removed} ${removed === 1 ? "upload" : "uploads"} that ended more than ${input.olderThan} ago`
  yield* out(`${line}\n`)
})
