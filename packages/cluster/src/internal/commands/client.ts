/** What the commands share that talk to runners. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as NodeCluster from "../../NodeCluster.ts"
import type { Status } from "../../Uploads.ts"
import { databaseOf } from "../database.ts"
import { urlOf } from "../databaseUrl.ts"

/** All that `Uploads` needs. */
export const layerClient = (databaseUrl: Option.Option<string>) =>
  Layer.unwrap(
    Effect.map(urlOf(databaseUrl), (url) => {
      const { isServer, layer } = databaseOf(url)
      const engine = isServer ? NodeCluster.layerClient : NodeCluster.layerSingleClient
      return Layer.mergeAll(
        engine.pipe(Layer.provide(layer)),
        NodeHttpClient.layerNodeHttp,
        NodeServices.layer
      )
    })
  )

/** A status in a line. */
export const describe = (status: Status): string => {
  switch (status._tag) {
    case "Waiting":
      return status.paused ? "waiting, paused" : "waiting"
    case "Sending": {
      const share = Math.floor((100 * status.durable) / status.total)
      const bytes = `${share} % (${status.durable} of ${status.total} bytes)`
      return status.paused ? `paused at ${bytes}` : `sending, ${bytes}`
    }
    case "Completed":
      return `completed, ${status.result.size} bytes, CRC64 ${status.result.crc64}`
    case "Failed":
      return `failed: ${status.error.message}`
    case "Defect":
      return `failed: ${Cause.pretty(status.cause)}`
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
