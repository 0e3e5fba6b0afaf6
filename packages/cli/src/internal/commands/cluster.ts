/** What the commands share that talk to runners. */
import * as Text from "@effect-oss/terminal/Text"
import * as NodeCluster from "@effect-oss/cluster/NodeCluster"
import type { Status } from "@effect-oss/cluster/Uploads"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import { databaseOf } from "../databaseUrl.ts"

/** All that `Uploads` needs. */
export const layerClient = (databaseUrl: Option.Option<string>) =>
  Layer.unwrap(
    Effect.map(databaseOf(databaseUrl), ({ layer }) =>
      Layer.merge(NodeCluster.layerClient.pipe(Layer.provide(layer)), NodeHttpClient.layerNodeHttp)
    )
  )

/** A status in a line. */
export const describe = (status: Status): string => {
  switch (status._tag) {
    case "Waiting":
      return status.paused ? "paused before it began" : "waiting for a runner, or never submitted"
    case "Sending": {
      const { durable, total, paused } = status
      const share = Math.floor((100 * durable) / total)
      const bytes = `${share} % (${Text.bytes(durable)} of ${Text.bytes(total)})`
      return paused ? `paused at ${bytes}` : `sending, ${bytes}`
    }
    case "Completed":
      return `completed, ${Text.bytes(status.result.size)}, CRC64 ${status.result.crc64}`
    case "Failed":
      return Text.printable(`failed: ${status.error.message}`)
    case "Defect":
      return Text.printable(`failed: ${String(Cause.squash(status.cause))}`)
  }
}

/** A status as one JSON value. */
export const toJson = (id: string, status: Status): string => {
  const { _tag } = status
  switch (_tag) {
    case "Waiting":
    case "Sending":
      return JSON.stringify({ id, ...status })
    case "Completed": {
      const { crc64, ...result } = status.result
      return JSON.stringify({ id, _tag, result: { ...result, crc64: String(crc64) } })
    }
    default:
      return JSON.stringify({ id, _tag: "Failed", message: describe(status) })
  }
}
