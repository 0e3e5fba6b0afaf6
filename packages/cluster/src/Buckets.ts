/**
 * The buckets that runners upload to. A client of `@effect-oss/core` belongs to
 * one bucket; a runner uploads to any bucket.
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
import * as SharedKeys from "./internal/sharedKeys.ts"

/**
 * Clients by the name of their bucket.
 *
 * @category services
 * @since 0.1.0
 */
export class Buckets extends Context.Service<
  Buckets,
  {
    /** The client of a bucket. It stays valid while the scope is open. */
    readonly client: (
      bucket: string
    ) => Effect.Effect<OssClient.OssClient["Service"], InvalidRequest, Scope.Scope>
    /** Fails if its clients have no credentials and a retry can't help. */
    readonly check: Effect.Effect<void, InvalidRequest>
  }
>()("@effect-oss/cluster/Buckets") {}

/**
 * Makes one client for each bucket that an upload names. All clients have the
 * same endpoint and keys.
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
      return { client: (bucket) => RcMap.get(clients, bucket), check: Effect.void }
    })
  )

/**
 * Makes clients from the environment, see `OssClient.layerConfig`. Each upload
 * names its bucket.
 *
 * **Details**
 *
 * `credentials` may be an effect, such as `NodeOssCredentials.chain()`. It runs
 * once for all clients that need keys at the same time.
 *
 * **Example** (keys as Alibaba's tools find them)
 *
 * ```ts
 * import { Buckets } from "@effect-oss/cluster"
 * import { NodeOssCredentials, NodeOssHttp } from "@effect-oss/node-http"
 * import { NodeServices } from "@effect/platform-node"
 * import { Layer } from "effect"
 *
 * const layer = Buckets.layerConfig({ credentials: NodeOssCredentials.chain() }).pipe(
 *   Layer.provide([NodeOssHttp.layer(), NodeServices.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = <E = never, R = never>(
  given: Partial<Omit<OssClient.Options<E, R>, "bucket">> = {}
): Layer.Layer<Buckets, never, HttpClient | Exclude<R, Scope.Scope>> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { credentials, ...rest } = given
      if (credentials === undefined || !Effect.isEffect(credentials)) return configured(() => given)
      const shared = yield* SharedKeys.make(credentials)
      return Layer.effect(
        Buckets,
        Effect.gen(function* () {
          const context = yield* Effect.context<R>()
          const check = Effect.catch(Effect.asVoid(shared()), (error) =>
            isFinal(error) ? Effect.fail(withoutCredentials(error)) : Effect.void
          )
          const { client } = yield* Buckets
          return { client, check: Effect.provideContext(check, context) }
        })
      ).pipe(Layer.provide(configured(() => ({ ...rest, credentials: shared() }))))
    })
  )

/** Calls `given` for each client. */
const configured = <E, R>(given: () => Partial<Omit<OssClient.Options<E, R>, "bucket">>) =>
  layer<Config.ConfigError | InvalidRequest, HttpClient | R>((bucket) =>
    OssClient.layerConfig({ ...given(), bucket })
  )

/** Uploads wait while the error may go away. */
const isFinal = (error: unknown): boolean =>
  Predicate.hasProperty(error, "isRetryable") && error.isRetryable === false

const withoutCredentials = (error: unknown) =>
  new InvalidRequest({
    field: "credentials",
    problem: error instanceof Error ? error.message : String(error),
    remedy:
      Predicate.hasProperty(error, "remedy") && typeof error.remedy === "string"
        ? error.remedy
        : "check the source of the credentials of the runners"
  })

/**
 * Uses the `OssClient` that you provide, for its own bucket only.
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
        : Effect.fail(unusable(bucket, new Error(`only ${client.bucket} is served here`))),
    check: Effect.void
  }))
)

const unusable = (bucket: string, error: unknown) =>
  new InvalidRequest({
    field: "bucket",
    problem: `there is no client for ${bucket}: ${textOf(error)}`,
    remedy: "see to the settings of the runners: endpoint, region and keys"
  })

/** Names the setting, never its value, which may be a secret. */
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
