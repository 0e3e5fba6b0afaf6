/**
 * An emulator without I/O: no promise, no socket, no timer of its own. It has a
 * client directly over the state machine, and the HTTP interface for callers
 * that carry requests and answers themselves. Both use the same state.
 */
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { ClientOptions } from "../OssEmulator.ts"
import * as Store from "./bytes/store.ts"
import * as Client from "./client/client.ts"
import { core } from "./core.ts"
import * as Face from "./http/face.ts"
import type { Incoming } from "./http/respond.ts"
import { service } from "./service.ts"
import type { Credential } from "../OssEmulator.ts"

export const inProcess = Effect.fnUntraced(function* (
  options: ClientOptions & {
    /** The keys that may sign requests over HTTP. Default: all requests are admitted, signed or not. */
    readonly credentials?: ReadonlyArray<Credential> | undefined
  }
) {
  const { bucket = "test-bucket", endpoint = "http://oss.test", credentials = [] } = options
  const store = yield* Store.memory
  const { verbs, exchange } = yield* Effect.orDie(
    core({ store, run: "0", buckets: options.buckets })
  )
  /** Answers one request. Callbacks count as succeeded. */
  const answer: (incoming: Incoming) => Effect.Effect<HttpServerResponse> = Face.make({
    exchange,
    verbs,
    credentials,
    region: undefined,
    cors: [],
    call: () => Effect.succeed(`{"Status":"OK"}`)
  })
  return {
    client: Client.make({ endpoint, bucket, exchange, verbs }),
    emulator: service({ url: endpoint, verbs, exchange }),
    answer
  }
})
