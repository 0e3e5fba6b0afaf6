/** Code that the commands of the cluster share. */
import * as Text from "@effect-oss/terminal/Text"
import type { Executions } from "@effect-oss/cluster/Executions"
import * as NodeCluster from "@effect-oss/cluster/NodeCluster"
import type { Status, Submitted } from "@effect-oss/cluster/Uploads"
import * as NodeOssHttp from "@effect-oss/node-http/NodeOssHttp"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { SomeFailed, UsageError } from "../CliFailure.ts"
import type { Failure } from "../Explain.ts"
import { explainCause, gravest } from "../Explain.ts"
import { databaseOf } from "../databaseUrl.ts"
import { jsonText } from "../json.ts"

/** The services of a client of the cluster. */
export type Client = WorkflowEngine | Executions

/** The layer that `Uploads` needs. */
export const layerClient = (databaseUrl: Option.Option<string>) =>
  Layer.unwrap(
    Effect.map(databaseOf(databaseUrl), ({ layer }) =>
      Layer.merge(NodeCluster.layerClient.pipe(Layer.provide(layer)), NodeOssHttp.layer())
    )
  )

/** Fails if a text can't be an id. */
export const validIds = (ids: ReadonlyArray<string>) =>
  Effect.forEach(ids, (id) => (/^[0-9a-f]{32}$/.test(id) ? Effect.succeed(id) : noId(id)), {
    discard: true
  })

const noId = (text: string) =>
  Effect.fail(
    new UsageError({
      problem: `"${text}" is not an upload's id`,
      remedy:
        'give what "effect-oss submit" or "effect-oss list" printed: 32 digits and letters from a to f'
    })
  )

/** Whether an upload has ended. */
export const isOver = ({ _tag }: Status): boolean => _tag !== "Waiting" && _tag !== "Sending"

/** The share in percent. */
export const share = (durable: number, total: number): string =>
  `${total === 0 ? 0 : Math.floor((100 * durable) / total)} %`

/** Describes a status in one line. */
export const describe = (status: Status): string => {
  switch (status._tag) {
    case "Waiting":
      return status.paused ? "paused before it began" : "waiting for a runner"
    case "Sending": {
      const { durable, total, paused } = status
      const files =
        status.files === undefined ? "" : `${status.files.done} of ${status.files.all} files, `
      const bytes = `${files}${share(durable, total)} (${Text.bytes(durable)} of ${Text.bytes(total)})`
      return paused ? `paused at ${bytes}` : `sending, ${bytes}`
    }
    case "Completed": {
      const { size, crc64, skipped } = status.result
      const what = skipped === true ? "completed, was there already" : "completed"
      return `${what}, ${Text.bytes(size)}, CRC64 ${crc64}`
    }
    case "BatchEnded": {
      const { files, skipped, size, failed } = status.result
      const there = skipped > 0 ? `, ${skipped} of them were there already` : ""
      const what = `completed, ${files} files, ${Text.bytes(size)}${there}`
      return failed > 0 ? `${failed} files failed; ${what}` : what
    }
    case "Failed":
      return Text.printable(`failed: ${status.error.message}`)
    case "Defect":
      return Text.printable(`failed: ${String(Cause.squash(status.cause))}`)
  }
}

/** Writes an upload as one JSON value. */
export const toJson = ({ id, bucket, key, size, submitted, ended, status }: Submitted): string =>
  jsonText({
    id,
    bucket,
    key,
    size,
    submitted: new Date(submitted).toISOString(),
    ...(Option.isSome(ended) ? { ended: new Date(ended.value).toISOString() } : {}),
    ...fieldsOf(status)
  })

const fieldsOf = (status: Status): object => {
  const { _tag } = status
  switch (_tag) {
    case "Waiting":
    case "Sending":
      return status
    case "Completed": {
      const { crc64, ...result } = status.result
      return { _tag, result: { ...result, crc64: String(crc64) } }
    }
    case "BatchEnded": {
      const { failures, ...result } = status.result
      const told = failures.map(({ key, error }) => ({ key, message: error.message }))
      return { _tag, result: { ...result, failures: told } }
    }
    default:
      return { _tag: "Failed", message: describe(status) }
  }
}

const failuresOf = (status: Status): ReadonlyArray<Cause.Cause<Failure>> => {
  switch (status._tag) {
    case "Failed":
      return [Cause.fail(status.error)]
    case "Defect":
      return [status.cause]
    case "BatchEnded":
      return status.result.failures.map(({ error }) => Cause.fail(error))
    default:
      return []
  }
}

/** How many uploads a status counts, and how many of them failed. */
const countOf = (status: Status): { readonly all: number; readonly failed: number } =>
  status._tag === "BatchEnded"
    ? { all: status.result.files + status.result.failed, failed: status.result.failed }
    : { all: 1, failed: failuresOf(status).length }

/** Ends the command as `upload` does: with the failure of one upload, or the worst of many. */
export const conclude = Effect.fnUntraced(function* (statuses: ReadonlyArray<Status>) {
  const failures = statuses.flatMap(failuresOf)
  const [first] = failures
  if (first === undefined) return
  const counts = statuses.map(countOf)
  const all = counts.reduce((sum, count) => sum + count.all, 0)
  if (all === 1) return yield* Effect.failCause(first)
  const failed = counts.reduce((sum, count) => sum + count.failed, 0)
  const exitCode = failures.map((cause) => explainCause(cause).exitCode).reduce(gravest, 2)
  return yield* new SomeFailed({ failed, all, exitCode })
})
