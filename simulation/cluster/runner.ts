/** Runners on machines of their own, and whoever submits to them: one database, one OSS. */
import { Executions, UploadRunner } from "@effect-oss/cluster"
import { Effect, Exit, identity, Layer, Option, Scope } from "effect"
import {
  ClusterWorkflowEngine,
  RunnerAddress,
  RunnerHealth,
  Runners,
  Sharding,
  ShardingConfig
} from "effect/cluster"
import { ground as outside, inTime, roots } from "../../packages/cluster/test/world.ts"
import * as Locks from "./locks.ts"
import * as Machine from "./machine.ts"

/** What outlives every runner. */
export const ground = Layer.provideMerge(Locks.layer, outside)

const configOf = (name: string | undefined) =>
  ShardingConfig.layer({
    runnerAddress: Option.map(Option.fromUndefinedOr(name), (name) => RunnerAddress.make(name, 0)),
    entityMessagePollInterval: "1 second"
  })

const engineOf = (name: string | undefined) =>
  ClusterWorkflowEngine.layer.pipe(
    Layer.provide(Sharding.layer),
    Layer.provide([Runners.layerNoop, RunnerHealth.layerNoop]),
    Layer.provide(configOf(name))
  )

/** Submits and asks, and runs nothing. */
export const client = engineOf(undefined).pipe(Layer.provide(Machine.messages(identity)))

export interface Runner extends Omit<Machine.Machine, "layer"> {
  /** It ends as a runner does that is told to. */
  readonly stop: Effect.Effect<void>
}

/** A runner on a machine of its own, once it is at work. */
export const start = Effect.fnUntraced(function* (name: string) {
  const { layer, ...machine } = yield* Machine.make
  const scope = yield* Scope.make()
  const runner = UploadRunner.layer({ roots, activities: 2 }).pipe(
    Layer.provide(engineOf(name)),
    Layer.provide(Executions.layerMemory),
    Layer.provide(layer)
  )
  yield* inTime(Layer.buildWithMemoMap(runner, yield* Layer.makeMemoMap, scope))
  return { ...machine, stop: inTime(Scope.close(scope, Exit.void)) } satisfies Runner
})
