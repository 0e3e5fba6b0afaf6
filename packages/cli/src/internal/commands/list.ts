/** `effect-oss list`: lists submitted uploads, the newest first. */
import type { Submitted } from "@effect-oss/cluster/Uploads"
import * as Uploads from "@effect-oss/cluster/Uploads"
import * as Text from "@effect-oss/terminal/Text"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { Output } from "../Output.ts"
import { atLeastOne } from "../numbers.ts"
import { table } from "../table.ts"
import { layerClient, share, toJson } from "./cluster.ts"

export interface Input {
  readonly databaseUrl: Option.Option<string>
  readonly open: boolean
  readonly limit: number
  readonly json: boolean
}

const titles = ["ID", "STATE", "DONE", "FILES", "SIZE", "AGE", "OBJECT"]

export const run = Effect.fn("list")(function* ({ databaseUrl, open, limit, json }: Input) {
  const { out } = yield* Output
  yield* atLeastOne("--limit", limit)
  const uploads = yield* Uploads.list({ open, limit }).pipe(
    Effect.provide(layerClient(databaseUrl))
  )
  const now = yield* Clock.currentTimeMillis
  const lines = json ? uploads.map(toJson) : tableOf(uploads, now, open)
  yield* out(lines.map((line) => `${line}\n`).join(""))
})

const tableOf = (uploads: ReadonlyArray<Submitted>, now: number, open: boolean) =>
  uploads.length === 0
    ? [open ? "no upload is under way" : "nothing was submitted"]
    : table(titles, uploads.map(rowOf(now)))

const rowOf =
  (now: number) =>
  ({ id, bucket, key, size, files, submitted, status }: Submitted): ReadonlyArray<string> => [
    id,
    stateOf(status),
    doneOf(status),
    String(files),
    Text.bytes(size),
    Text.wholeDuration(now - submitted),
    Text.printable(`oss://${bucket}/${key}`)
  ]

const stateOf = (status: Uploads.Status): string => {
  switch (status._tag) {
    case "Waiting":
    case "Sending":
      return status.paused ? "paused" : status._tag.toLowerCase()
    case "Defect":
      return "failed"
    case "BatchEnded":
      return status.result.failed > 0 ? "failed" : "completed"
    default:
      return status._tag.toLowerCase()
  }
}

const doneOf = (status: Uploads.Status): string => {
  if (status._tag === "Completed" || status._tag === "BatchEnded") return "100 %"
  return status._tag === "Sending" ? share(status.durable, status.total) : ""
}
