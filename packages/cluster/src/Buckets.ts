/**
 * The buckets that runners send to. A client of core is bound to one bucket; a
 * runner takes uploads to any.
 *
 * @since 0.1.0
 */
import * as OssClient from "@effect-oss/core/OssClient"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as RcMap from "effect/RcMap"
import * as SchemaIssue from "effect/SchemaIssue"
import type * as Scope from "effect/Scope"

/**
 * Clients by the name of their bucket.
 *
 * @category services
 * @since 0.1.0
 */
export class Buckets extends Context.Service<
  Buckets,
  {
    /** The client of a bucket, for as long as the scope is open. */
    readonly client: (
      bucket: string
    ) => Effect.Effect<OssClient.OssClient["Service"], InvalidRequest, Scope.Scope>
  }
>()("@effect-oss/cluster/Buckets") {}

/**
 * A client for each bucket that is named, all with the same endpoint and keys.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <E, R>(
  clientOf: (bucket: string) => Layer.Layer<OssClient.OssClient, E, R>
): Layer.Layer<Buckets, never, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    Buckets,
    Effect.gen(function* () {
      const clients = yield* RcMap.make({
        lookup: (bucket: string) =>
          Layer.build(clientOf(bucket)).pipe(
            Effect.map(Context.get(OssClient.OssClient)),
            Effect.mapError((error) => unusable(bucket, error))
          ),
        idleTimeToLive: "5 minutes"
      })
      return { client: (bucket) => RcMap.get(clients, bucket) }
    })
  )

/**
 * Clients as the environment says, see `OssClient.layerConfig`; but for the
 * bucket, which each upload names.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  given: Partial<Omit<OssClient.Options, "bucket">> = {}
): Layer.Layer<Buckets, never, HttpClient> =>
  layer<Config.ConfigError | InvalidRequest, HttpClient>((bucket) =>
    OssClient.layerConfig({ ...given, bucket })
  )

/**
 * The one client that there is, for its own bucket.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClient: Layer.Layer<Buckets, never, OssClient.OssClient> = Layer.effect(
  Buckets,
  Effect.map(OssClient.OssClient, (client) => ({
    client: (bucket) =>
      bucket === client.bucket
        ? Effect.succeed(client)
        : Effect.fail(unusable(bucket, new Error(`only ${client.bucket} is served here`)))
  }))
)

const unusable = (bucket: string, error: unknown) =>
  new InvalidRequest({
    field: "bucket",
    problem: `there is no client for ${bucket}: ${textOf(error)}`,
    remedy: "see to the settings of the runners: endpoint, region and keys"
  })

/** Of a setting its name, never its value: that may be a secret. */
const textOf = (error: unknown): string => {
  if (Predicate.isTagged(error, "ConfigError")) {
    const { cause } = error as unknown as Config.ConfigError
    if (cause._tag === "SchemaError") {
      const [issue] = SchemaIssue.makeFormatterStandardSchemaV1()(cause.issue).issues
      return `${(issue?.path ?? []).map(String).join(".")} is not set, or not usable`
    }
  }
  return error instanceof Error ? error.message : String(error)
}
