/**
 * How processes become a cluster: workflow engines on Node, over a database.
 * Who runs what, and what happens when a process dies or hangs, is Effect's
 * `effect/cluster`: each upload and each range belongs to a shard, each shard to
 * the one runner that holds its lock in the database.
 *
 * @since 0.1.0
 */
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as SingleRunner from "effect/cluster/SingleRunner"
import * as SqlMessageStorage from "effect/cluster/SqlMessageStorage"
import type { ConfigError } from "effect/Config"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { SocketServerError } from "effect/socket/SocketServer"
import type { SqlClient } from "effect/sql/SqlClient"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"

/**
 * Where a runner is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Address {
  /** By which the other runners reach it, and on which it listens. */
  readonly host: string
  readonly port: number
  /** Settings of Effect's cluster. Default: the environment, such as `SHARD_LOCK_EXPIRATION`, else Effect's own. */
  readonly sharding?: Partial<ShardingConfig.ShardingConfig["Service"]> | undefined
}

/**
 * One of many runners, which find each other in the database and talk over TCP.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = ({
  host,
  port,
  sharding
}: Address): Layer.Layer<WorkflowEngine, SocketServerError | ConfigError, SqlClient> =>
  ClusterWorkflowEngine.layer.pipe(
    Layer.provide(
      NodeClusterSocket.layer({
        storage: "sql",
        shardingConfig: {
          runnerListenAddress: Option.none(),
          ...sharding,
          runnerAddress: Option.some(RunnerAddress.make(host, port))
        }
      })
    )
  )

/**
 * The only runner of its database, such as one of SQLite. It listens on no
 * port: what others submit it finds in the database, within a second. That it
 * is the only one is for the program to see to: `effect-oss runner` does.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSingle: Layer.Layer<WorkflowEngine, ConfigError, SqlClient> =
  ClusterWorkflowEngine.layer.pipe(
    Layer.provide(
      SingleRunner.layer({ shardingConfig: { entityMessagePollInterval: "1 second" } })
    ),
    Layer.provide(NodeCrypto.layerDigest)
  )

/**
 * Submits to the only runner of a database, and looks at what it does.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSingleClient: Layer.Layer<WorkflowEngine, never, SqlClient> =
  ClusterWorkflowEngine.layer.pipe(
    Layer.provide(Sharding.layer),
    Layer.provide([Runners.layerNoop, RunnerHealth.layerNoop]),
    Layer.provide([SqlMessageStorage.layer, RunnerStorage.layerMemory]),
    Layer.provide([ShardingConfig.layer({ runnerAddress: Option.none() }), NodeCrypto.layerDigest])
  )

/**
 * Submits to runners and looks at what they do, but takes on nothing itself.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClient: Layer.Layer<WorkflowEngine, ConfigError, SqlClient> =
  ClusterWorkflowEngine.layer.pipe(
    Layer.provide(
      NodeClusterSocket.layer({
        clientOnly: true,
        storage: "sql",
        shardingConfig: { runnerAddress: Option.none(), runnerListenAddress: Option.none() }
      })
    )
  )
