/** `effect-oss runner`: takes on uploads until a signal ends it. */
import { createServer } from "node:net"
import * as NodeOssHttp from "@effect-oss/node-http/NodeOssHttp"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import { MinimumLogLevel } from "effect/References"
import * as Buckets from "../../Buckets.ts"
import * as NodeCluster from "../../NodeCluster.ts"
import * as UploadRunner from "../../UploadRunner.ts"
import { databaseOf } from "../database.ts"
import { urlOf } from "../databaseUrl.ts"
import { untilSignal } from "../untilSignal.ts"

export interface Input {
  readonly databaseUrl: Option.Option<string>
  readonly host: string
  readonly port: number
  readonly activities: number
  readonly parallel: number
}

export const run = Effect.fn("runner")(function* (input: Input) {
  const { host, port, activities, parallel: parts } = input
  const database = databaseOf(yield* urlOf(input.databaseUrl))
  const address = { host, port: database.isServer && port === 0 ? yield* freePort(host) : port }
  const engine = database.isServer ? NodeCluster.layer(address) : NodeCluster.layerSingle
  const runner = UploadRunner.layer({ activities, parts }).pipe(
    Layer.provide(engine),
    Layer.provide(Buckets.layerConfig()),
    Layer.provide(NodeOssHttp.layer()),
    Layer.provide([database.layer, NodeServices.layer]),
    Layer.provide(database.lock)
  )
  const ready = database.isServer ? ` on ${address.host}:${address.port}` : ""
  yield* Layer.build(runner).pipe(
    Effect.catchTag("SocketServerError", ({ message }) =>
      Effect.fail(
        new InvalidRequest({ field: "--port", problem: message, remedy: "give 0 for any free one" })
      )
    ),
    Effect.andThen(Console.log(`effect-oss runner ready${ready}`)),
    Effect.andThen(Effect.never),
    untilSignal,
    // What the engine does every day is no news.
    Effect.provideService(MinimumLogLevel, "Warn")
  )
}, Effect.scoped)

/** The others have to be told the port before it is listened on. */
const freePort = (host: string): Effect.Effect<number, InvalidRequest> =>
  Effect.callback((resume) => {
    const server = createServer()
    server.once("error", ({ message }) =>
      resume(
        Effect.fail(
          new InvalidRequest({
            field: "--host",
            problem: message,
            remedy: "give an address of this machine"
          })
        )
      )
    )
    server.listen(0, host, () => {
      const address = server.address()
      server.close(() =>
        resume(Effect.succeed(typeof address === "object" ? (address?.port ?? 0) : 0))
      )
    })
  })
