/**
 * Workflow engines on Node that share a database. Runners find all their work
 * in the database: no port listens, and runners need no connection to each
 * other. Effect's `effect/cluster` decides which runner runs an upload, and
 * what happens when a process dies or hangs. Each upload and each range belongs
 * to a shard. Each shard belongs to the one runner that holds its lock in the
 * database.
 *
 * @since 0.1.0
 */
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import type { InvalidRequest } from "@effect-oss/core/UploadError"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { SqlClient } from "effect/sql/SqlClient"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { Executions } from "./Executions.ts"
import * as Claims from "./internal/claims.ts"
import { layer as layerExecutions } from "./internal/executions.ts"
import { layerEngine } from "./internal/outlasting.ts"
import * as Schema from "./internal/schema.ts"
import * as ShardLocks from "./internal/shardLocks.ts"
import * as Wake from "./internal/wake.ts"

/**
 * Options of `layer`.
 */
interface Options {
  /** Settings of Effect's cluster. Default: the environment, such as `SHARD_LOCK_EXPIRATION`, otherwise Effect's own defaults; `entityMessagePollInterval` is 1 second. */
  readonly sharding?: Partial<ShardingConfig.ShardingConfig["Service"]> | undefined
}

/** A runner reads messages at least once a second: see `Wake`. */
const pollInterval = Config.Duration("ENTITY_MESSAGE_POLL_INTERVAL").pipe(
  Config.withDefault(Duration.seconds(1))
)

const layerConfig = (given: Partial<ShardingConfig.ShardingConfig["Service"]>) =>
  Layer.effect(
    ShardingConfig.ShardingConfig,
    Effect.gen(function* () {
      return {
        ...(yield* ShardingConfig.configFromEnv),
        entityMessagePollInterval: yield* pollInterval,
        ...given,
        runnerListenAddress: Option.none()
      }
    })
  )

const engine = (
  sharding: Partial<ShardingConfig.ShardingConfig["Service"]>,
  storage: Layer.Layer<
    RunnerStorage.RunnerStorage,
    never,
    SqlClient | ShardingConfig.ShardingConfig
  >
): Layer.Layer<WorkflowEngine | Executions, Config.ConfigError | InvalidRequest, SqlClient> =>
  Layer.mergeAll(layerEngine(ClusterWorkflowEngine.layer), Wake.layerListener).pipe(
    Layer.provide(Sharding.layer),
    Layer.provide([Wake.layerRunners, RunnerHealth.layerNoop]),
    Layer.provide([Claims.layer, storage]),
    Layer.merge(layerExecutions),
    Layer.provide([layerConfig(sharding), NodeCrypto.layerDigest]),
    // Nothing reads the tables before they have the right version.
    (layers) => Layer.unwrap(Effect.as(Schema.prepare, layers))
  )

/** A unique name: a runner must not mistake the locks of a dead runner for its own. */
const name = () => RunnerAddress.make(`${hostname()}/${randomUUID()}`, 0)

/**
 * One of many runners of a database server.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<WorkflowEngine | Executions, Config.ConfigError | InvalidRequest, SqlClient> =>
  Layer.suspend(() =>
    engine({ ...options.sharding, runnerAddress: Option.some(name()) }, ShardLocks.layer)
  )

/**
 * The only runner of its database, such as an SQLite file. Your program must
 * make sure that no second runner starts: `Database.lock` does that.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSingle: Layer.Layer<
  WorkflowEngine | Executions,
  Config.ConfigError | InvalidRequest,
  SqlClient
> = engine(
  // The name is the same after a restart, so that the runner keeps its locks.
  { runnerAddress: Option.some(RunnerAddress.make("single", 0)) },
  ShardLocks.layer
)

/**
 * Submits uploads to the runners of a database and reads their state. It runs
 * no uploads itself.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClient: Layer.Layer<
  WorkflowEngine | Executions,
  Config.ConfigError | InvalidRequest,
  SqlClient
> = engine({ runnerAddress: Option.none() }, RunnerStorage.layerMemory)
