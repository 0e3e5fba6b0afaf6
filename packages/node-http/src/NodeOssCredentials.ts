/**
 * Finds credentials in the same places as Alibaba's tools: variables, files,
 * and the roles of ECS instances and pods.
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
 * The profile to use, and the addresses of the credentials services.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The profile in Alibaba's files. If you set it, only files with this profile
   * count, and neither variables nor the metadata service. Default:
   * `ALIBABA_CLOUD_PROFILE`, otherwise each file's own default.
   */
  readonly profile?: string | undefined
  /**
   * The address of STS. Default: `https://sts.aliyuncs.com`, or the address for
   * `ALIBABA_CLOUD_STS_REGION`.
   */
  readonly sts?: string | undefined
  /** The address of the metadata service. Default: `http://100.100.100.200`. */
  readonly metadata?: string | undefined
}

/**
 * The services that the search for credentials needs: `NodeServices.layer` and
 * an HTTP client.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = FileSystem | Path | HttpClient | ChildProcessSpawner

/**
 * Finds credentials in variables, files, and the roles of pods and ECS
 * instances. The first source that has credentials wins.
 *
 * It tries the sources in this order:
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
 * A source without credentials is skipped. A source with a mistake fails, so
 * that you don't use another account by accident. If no source has credentials,
 * the error lists each source with the reason. With `profile`, only the files
 * of 4 to 6 count. Profiles whose mode needs a browser, such as `CloudSSO`, are
 * skipped.
 *
 * New credentials come from the source that gave the first ones. A client asks
 * for them a minute before the old ones expire, once for all its requests. The
 * metadata service must answer each request within 1 second, STS and a
 * credentials URI within 10 seconds, and an external program within 60 seconds.
 * While a service is unreachable, uploads wait as they do for OSS itself.
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
 * The credentials of a profile of ossutil 1 or 2. Profiles with
 * `mode=EcsRamRole` work too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ossutil = (
  options: Options & {
    /** Default: `OSSUTIL_CONFIG_FILE`, otherwise `~/.ossutilconfig`. */
    readonly file?: string | undefined
  } = {}
): Effect.Effect<OssCredentials.Credentials, CredentialsError, Services> => Chain.ossutil(options)
