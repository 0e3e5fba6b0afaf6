/** Shows uploads of a cluster until all have ended: bars on a terminal, lines elsewhere. */
import * as Monotonic from "../monotonic.ts"
import { Executions } from "@effect-oss/cluster/Executions"
import type { UnknownUpload } from "@effect-oss/cluster/ClusterError"
import type { Status, Submitted } from "@effect-oss/cluster/Uploads"
import * as Uploads from "@effect-oss/cluster/Uploads"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Board from "@effect-oss/terminal/internal/board"
import { Output } from "../Output.ts"
import type { Client } from "./cluster.ts"
import { describe, isOver, toJson } from "./cluster.ts"

/** How often to look. Each look queries every upload that hasn't ended. */
const atOnce = 16
const between = "500 millis"

/** After this many looks without a runner, it says so. */
const patience = 6

/** Shows uploads until all have ended, and returns their statuses. */
export const watch = Effect.fnUntraced(function* (
  ids: ReadonlyArray<string>,
  json: boolean
): Effect.fn.Return<ReadonlyArray<Status>, UnknownUpload, Client | Output> {
  const { screen } = yield* Output
  const startedAt = yield* Monotonic.now
  const shown = new Map<string, string>()
  let uploads: ReadonlyArray<Submitted> = []
  const first = new Map<string, number>()
  return yield* Effect.gen(function* () {
    for (let look = 0; ; look++) {
      const before = new Map(uploads.map((upload) => [upload.id, upload]))
      uploads = yield* Effect.forEach(ids, (id) => again(before.get(id), id), {
        concurrency: atOnce
      })
      for (const { id, status } of uploads) {
        if (!first.has(id)) first.set(id, status._tag === "Sending" ? status.durable : 0)
      }
      yield* json
        ? tellJson(uploads, shown)
        : tell(uploads, shown, boardOf(uploads, first, (yield* Monotonic.now) - startedAt))
      if (uploads.every(({ status }) => isOver(status))) return uploads.map(({ status }) => status)
      if (look === patience) yield* tellIfAlone
      yield* Effect.sleep(between)
    }
  }).pipe(Effect.ensuring(screen.pin([])))
})

/** Uploads that have ended are not queried again. */
const again = (before: Submitted | undefined, id: string) =>
  before !== undefined && isOver(before.status) ? Effect.succeed(before) : Uploads.find(id)

const tellJson = Effect.fnUntraced(function* (
  uploads: ReadonlyArray<Submitted>,
  shown: Map<string, string>
) {
  const { out } = yield* Output
  for (const upload of uploads) {
    const line = toJson(upload)
    if (shown.get(upload.id) !== line) yield* out(`${line}\n`)
    shown.set(upload.id, line)
  }
})

/**
 * On a terminal, shows a bar for each upload and a line at its end. Elsewhere,
 * shows a line for each change.
 */
const tell = Effect.fnUntraced(function* (
  uploads: ReadonlyArray<Submitted>,
  shown: Map<string, string>,
  board: Board.Board
) {
  const { out, screen } = yield* Output
  for (const { id, status } of uploads) {
    const line = `${id} ${describe(status)}\n`
    const isNews = shown.get(id) !== line && (isOver(status) || Option.isNone(screen.size))
    if (isNews) yield* out(line)
    shown.set(id, line)
  }
  if (Option.isNone(screen.size)) return
  const size = yield* screen.size.value
  const all = { files: uploads.length, bytes: sizeOf(uploads) }
  yield* screen.pin(Board.render(board, size, {}, all))
})

const sizeOf = (uploads: ReadonlyArray<Submitted>) =>
  uploads.reduce((sum, { size }) => sum + size, 0)

/** How many bytes OSS has of an upload. */
const durable = ({ size, status }: Submitted) => {
  if (status._tag === "Completed" || status._tag === "BatchEnded") return size
  return status._tag === "Sending" ? status.durable : 0
}

const boardOf = (
  uploads: ReadonlyArray<Submitted>,
  first: ReadonlyMap<string, number>,
  elapsed: number
): Board.Board => {
  const completed = uploads.filter(
    ({ status }) => status._tag === "Completed" || status._tag === "BatchEnded"
  )
  const failed = uploads.filter(({ status }) => isOver(status)).length - completed.length
  const active = uploads.filter(({ status }) => !isOver(status))
  const sent = uploads.reduce(
    (sum, upload) => sum + Math.max(0, durable(upload) - (first.get(upload.id) ?? 0)),
    0
  )
  return {
    active: new Map(
      active.map((upload) => {
        const { id, key, size } = upload
        return [id, { key, size, durable: durable(upload), sent: durable(upload) }]
      })
    ),
    totals: {
      completed: completed.length,
      skipped: 0,
      failed,
      underWay: active.length,
      total: sizeOf(uploads),
      durable: uploads.reduce((sum, upload) => sum + durable(upload), 0),
      sent,
      rate: (1_000 * sent) / Math.max(1, elapsed)
    },
    trouble: undefined
  }
}

/** Says that no runner is there, so that waiting is useless. */
const tellIfAlone = Effect.gen(function* () {
  const { error } = yield* Output
  const runners = yield* Executions.use(({ runners }) => runners)
  if (runners > 0) return
  yield* error("warning: no runner is at work on this database; start one: effect-oss runner\n")
})
