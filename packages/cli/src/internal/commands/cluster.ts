/** What the commands share that talk to runners. */
import * as Text from "@effect-oss/terminal/Text"
import type { Executions } from "@effect-oss/cluster/Executions"
import * as NodeCluster from "@effect-oss/cluster/NodeCluster"
import type { Status, Submitted } from "@effect-oss/cluster/Uploads"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { SomeFailed, UsageError } from "../../CliFailure.ts"
import type { Failure } from "../../Explain.ts"
import { explainCause, gravest } from "../../Explain.ts"
import { databaseOf } from "../databaseUrl.ts"

/** What a client of the cluster is. */
export type Client = WorkflowEngine | Executions

/** All that `Uploads` needs. */
export const layerClient = (databaseUrl: Option.Option<string>) =>
  Layer.unwrap(
    Effect.map(databaseOf(databaseUrl), ({ layer }) =>
      Layer.merge(NodeCluster.layerClient.pipe(Layer.provide(layer)), NodeHttpClient.layerNodeHttp)
    )
  )

/** Whether these can be ids at all. */
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

/** Whether nothing will change any more. */
export const isOver = ({ _tag }: Status): boolean => _tag !== "Waiting" && _tag !== "Sending"

/** In percent. */
export const share = (durable: number, total: number): string =>
  `${total === 0 ? 0 : Math.floor((100 * durable) / total)} %`

/** A status in a line. */
export const describe = (status: Status): string => {
  switch (status._tag) {
    case "Waiting":
      return status.paused ? "paused before it began" : "waiting for a runner"
    case "Sending": {
      const { durable, total, paused } = status
      const bytes = `${share(durable, total)} (${Text.bytes(durable)} of ${Text.bytes(total)})`
      return paused ? `paused at ${bytes}` : `sending, ${bytes}`
    }
    case "Completed": {
      const { size, crc64, skipped } = status.result
      const what = skipped === true ? "completed, was there already" : "completed"
      return `${what}, ${Text.bytes(size)}, CRC64 ${crc64}`
    }
    case "Failed":
      return Text.printable(`failed: ${status.error.message}`)
    case "Defect":
      return Text.printable(`failed: ${String(Cause.squash(status.cause))}`)
  }
}

/** An upload as one JSON value. */
export const toJson = ({ id, bucket, key, size, submitted, ended, status }: Submitted): string =>
  JSON.stringify({
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
    default:
      return { _tag: "Failed", message: describe(status) }
  }
}

const failureOf = (status: Status): ReadonlyArray<Cause.Cause<Failure>> => {
  if (status._tag === "Failed") return [Cause.fail(status.error)]
  return status._tag === "Defect" ? [status.cause] : []
}

/** Ends the command as `upload` would: with the failure of one, or the gravest of many. */
export const conclude = Effect.fnUntraced(function* (statuses: ReadonlyArray<Status>) {
  const failures = statuses.flatMap(failureOf)
  const [first] = failures
  if (first === undefined) return
  if (statuses.length === 1) return yield* Effect.failCause(first)
  const exitCode = failures.map((cause) => explainCause(cause).exitCode).reduce(gravest, 2)
  return yield* new SomeFailed({ failed: failures.length, all: statuses.length, exitCode })
})
