/** `effect-oss runner`: runs submitted uploads until a signal ends it. */
import type { Database } from "@effect-oss/cluster/Database"
import * as Buckets from "@effect-oss/cluster/Buckets"
import * as NodeCluster from "@effect-oss/cluster/NodeCluster"
import * as UploadRunner from "@effect-oss/cluster/UploadRunner"
import * as NodeOssHttp from "@effect-oss/node-http/NodeOssHttp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { MinimumLogLevel } from "effect/References"
import { UsageError } from "../CliFailure.ts"
import * as Age from "../Age.ts"
import * as Credentials from "../credentials.ts"
import * as ObjectUrl from "../ObjectUrl.ts"
import { Output } from "../Output.ts"
import { databaseOf } from "../databaseUrl.ts"
import { atLeastOne } from "../numbers.ts"

export interface Input {
  readonly databaseUrl: Option.Option<string>
  readonly roots: ReadonlyArray<string>
  readonly targets: ReadonlyArray<string>
  readonly retention: Option.Option<string>
  readonly activities: number
  readonly parallel: number
  readonly profile: Option.Option<string>
}

export const run = Effect.fn("runner")(function* (input: Input) {
  const { out } = yield* Output
  const activities = yield* atLeastOne("--activities", input.activities)
  const parts = yield* atLeastOne("--parallel", input.parallel)
  const database = yield* databaseOf(input.databaseUrl)
  const roots = yield* rootsOf(input.roots, database)
  const targets = yield* Effect.forEach(input.targets, targetOf)
  const retention = yield* Effect.forEach(Option.toArray(input.retention), (text) =>
    Effect.fromResult(Age.parse("--retention", text))
  )
  const options: UploadRunner.Options = {
    roots,
    targets: targets.length === 0 ? undefined : targets,
    retention: retention[0],
    activities,
    parts
  }
  const engine = database.isServer ? NodeCluster.layer() : NodeCluster.layerSingle
  const found = yield* Credentials.found(input.profile)
  const buckets = Buckets.layerConfig(found && { credentials: found.current }).pipe(
    Layer.provide(NodeOssHttp.layer())
  )
  yield* Effect.provide(UploadRunner.preflight(options), buckets)
  const runner = UploadRunner.layer(options).pipe(
    Layer.provide(engine),
    Layer.provide(buckets),
    Layer.provide(NodeOssHttp.layer()),
    Layer.provide(database.layer),
    Layer.provide(database.lock)
  )
  return yield* Layer.build(runner).pipe(
    Effect.andThen(out("effect-oss runner ready\n")),
    Effect.andThen(Effect.never),
    // Hides the routine messages of the engine.
    Effect.provideService(MinimumLogLevel, "Warn")
  )
}, Effect.scoped)

/**
 * The roots of sources. With a file, only this user can submit, so the default
 * is everything. With a server, others can submit, so roots are required.
 */
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

/** Reads the name of a bucket or a prefix in it. */
const targetOf = (text: string) =>
  Effect.map(
    Effect.fromResult(ObjectUrl.parse(text.startsWith("oss://") ? text : `oss://${text}`)),
    ({ bucket, key }) => ({ bucket, prefix: key })
  )
