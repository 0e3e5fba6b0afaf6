/**
 * Credentials as Alibaba's tools find them on a machine: variables, files, the
 * roles of ECS instances and of pods.
 *
 * @since 0.1.0
 */
import type * as OssCredentials from "@effect-oss/core/OssCredentials"
import type * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { HttpClient } from "effect/http/HttpClient"
import type { Path } from "effect/Path"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import type { CredentialsError } from "./CredentialsError.ts"
import * as Chain from "./internal/credentials/chain.ts"

export * from "./CredentialsError.ts"

/**
 * Which credentials, and where the services are that give them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The profile of Alibaba's files; only files with this profile count then, and
   * neither variables nor the metadata service. Default: `ALIBABA_CLOUD_PROFILE`,
   * else each file's own default.
   */
  readonly profile?: string | undefined
  /**
   * The address of STS. Default: `https://sts.aliyuncs.com`, or that of
   * `ALIBABA_CLOUD_STS_REGION`.
   */
  readonly sts?: string | undefined
  /** The address of the metadata service. Default: `http://100.100.100.200`. */
  readonly metadata?: string | undefined
}

/**
 * What finding credentials needs: `NodeServices.layer` and an HTTP client.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = FileSystem | Path | HttpClient | ChildProcessSpawner

/**
 * The first credentials of these, in this order:
 *
 * 1. `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and `OSS_SESSION_TOKEN`
 * 2. `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and
 *    `ALIBABA_CLOUD_SECURITY_TOKEN`
 * 3. a pod's role: `ALIBABA_CLOUD_OIDC_TOKEN_FILE`,
 *    `ALIBABA_CLOUD_OIDC_PROVIDER_ARN` and `ALIBABA_CLOUD_ROLE_ARN`
 * 4. `~/.aliyun/config.json`, or the file that `ALIBABA_CLOUD_CONFIG_FILE` names
 * 5. `~/.alibabacloud/credentials`, or `ALIBABA_CLOUD_CREDENTIALS_FILE`
 * 6. `~/.ossutilconfig`, or `OSSUTIL_CONFIG_FILE`
 * 7. `ALIBABA_CLOUD_CREDENTIALS_URI`
 * 8. the role of the ECS instance, from its metadata service;
 *    `ALIBABA_CLOUD_ECS_METADATA` names the role, and
 *    `ALIBABA_CLOUD_ECS_METADATA_DISABLED=true` leaves it out
 *
 * **Details**
 *
 * A source without credentials is passed over; one with a mistake fails, so that
 * no other account is used by accident. If all are passed over, the error lists
 * each with the reason. With `profile`, only the files of 4 to 6 count. Profiles
 * of modes that need a browser, such as `CloudSSO`, are passed over.
 *
 * The source that had credentials is the one that new ones come from. A client
 * asks a minute before they expire, once for all its requests. The metadata
 * service has 1 second for each response, STS and a credentials URI have 10, an
 * external program has 60. While one of them can't be reached, uploads wait as
 * they do for OSS itself.
 *
 * **Example** (an upload)
 *
 * ```ts
 * import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
 * import { NodeOssCredentials, NodeOssHttp } from "@effect-oss/node-http"
 * import { NodeServices } from "@effect/platform-node"
 * import { Effect } from "effect"
 *
 * const program = Upload.upload({ key: "backups/db.tar", source: Source.file("db.tar") }).pipe(
 *   Effect.provide([
 *     OssClient.layerConfig({ credentials: NodeOssCredentials.chain() }),
 *     CheckpointStore.layerMemory
 *   ]),
 *   Effect.provide([NodeOssHttp.layer(), NodeServices.layer])
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const chain = (
  options: Options = {}
): Effect.Effect<OssCredentials.Credentials, CredentialsError, Services> => Chain.make(options)

/**
 * The credentials of a profile of ossutil 1 or 2, also with `mode=EcsRamRole`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ossutil = (
  options: Options & {
    /** Default: `OSSUTIL_CONFIG_FILE`, else `~/.ossutilconfig`. */
    readonly file?: string | undefined
  } = {}
): Effect.Effect<OssCredentials.Credentials, CredentialsError, Services> => Chain.ossutil(options)
