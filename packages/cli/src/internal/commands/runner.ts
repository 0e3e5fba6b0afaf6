/** `effect-oss runner`: takes on uploads until a signal ends it. */
import { createServer } from "node:net"
import * as Buckets from "@effect-oss/cluster/Buckets"
import * as NodeCluster from "@effect-oss/cluster/NodeCluster"
import * as UploadRunner from "@effect-oss/cluster/UploadRunner"
import * as NodeOssHttp from "@effect-oss/node-http/NodeOssHttp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import { MinimumLogLevel } from "effect/References"
import { UsageError } from "../../CliFailure.ts"
import { Output } from "../../Output.ts"
import { databaseOf } from "../databaseUrl.ts"
import { atLeastOne, port as validPort } from "../numbers.ts"

export interface Input {
  readonly databaseUrl: Option.Option<string>
  readonly host: string
  readonly port: number
  readonly activities: number
  readonly parallel: number
}

export const run = Effect.fn("runner")(function* (input: Input) {
  const { out } = yield* Output
  const { host } = input
  const port = yield* validPort("--port", input.port)
  const activities = yield* atLeastOne("--activities", input.activities)
  const parts = yield* atLeastOne("--parallel", input.parallel)
  const database = yield* databaseOf(input.databaseUrl)
  const address = { host, port: database.isServer && port === 0 ? yield* freePort(host) : port }
  const engine = database.isServer ? NodeCluster.layer(address) : NodeCluster.layerSingle
  const runner = UploadRunner.layer({ activities, parts }).pipe(
    Layer.provide(engine),
    Layer.provide(Buckets.layerConfig()),
    Layer.provide(NodeOssHttp.layer()),
    Layer.provide(database.layer),
    Layer.provide(database.lock)
  )
  const ready = database.isServer ? ` on ${address.host}:${address.port}` : ""
  return yield* Layer.build(runner).pipe(
    Effect.catchTag("SocketServerError", ({ message }) =>
      Effect.fail(
        new UsageError({
          problem: `--port: ${port} can't be listened on: ${message}`,
          remedy: "give another port, or 0 for any free one"
        })
      )
    ),
    Effect.andThen(out(`effect-oss runner ready${ready}\n`)),
    Effect.andThen(Effect.never),
    // What the engine does every day is no news.
    Effect.provideService(MinimumLogLevel, "Warn")
  )
}, Effect.scoped)

/** The others have to be told the port before it is listened on. */
const freePort = (host: string): Effect.Effect<number, UsageError> =>
  Effect.callback((resume) => {
    const server = createServer()
    server.once("error", ({ message }) =>
      resume(
        Effect.fail(
          new UsageError({
            problem: `--host: ${host} can't be listened on: ${message}`,
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
