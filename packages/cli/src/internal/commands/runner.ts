/** `effect-oss runner`: takes on uploads until a signal ends it. */
import type { Database } from "@effect-oss/cluster/Database"
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
import { atLeastOne } from "../numbers.ts"

export interface Input {
  readonly databaseUrl: Option.Option<string>
  readonly roots: ReadonlyArray<string>
  readonly activities: number
  readonly parallel: number
}

export const run = Effect.fn("runner")(function* (input: Input) {
  const { out } = yield* Output
  const activities = yield* atLeastOne("--activities", input.activities)
  const parts = yield* atLeastOne("--parallel", input.parallel)
  const database = yield* databaseOf(input.databaseUrl)
  const roots = yield* rootsOf(input.roots, database)
  const engine = database.isServer ? NodeCluster.layer() : NodeCluster.layerSingle
  const runner = UploadRunner.layer({ roots, activities, parts }).pipe(
    Layer.provide(engine),
    Layer.provide(Buckets.layerConfig()),
    Layer.provide(NodeOssHttp.layer()),
    Layer.provide(database.layer),
    Layer.provide(database.lock)
  )
  return yield* Layer.build(runner).pipe(
    Effect.andThen(out("effect-oss runner ready\n")),
    Effect.andThen(Effect.never),
    // What the engine does every day is no news.
    Effect.provideService(MinimumLogLevel, "Warn")
  )
}, Effect.scoped)

/** Everything, if nobody but this user can submit; with a server, whoever can write to it may. */
const rootsOf = (given: ReadonlyArray<string>, { isServer }: Database) => {
  if (given.length > 0) return Effect.succeed(given)
  return isServer
    ? Effect.fail(
        new UsageError({
          problem: "--root is missing: whoever can write to the database decides what is uploaded",
          remedy: "give the directories that hold sources, such as --root /shared; --root / for all"
        })
      )
    : Effect.succeed(["/", "http://", "https://"])
}
