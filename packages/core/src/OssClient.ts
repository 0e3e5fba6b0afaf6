/**
 * A client of one bucket of OSS. Each method sends one request. The client signs
 * the request, sends it, reads the response and classifies the error. It never
 * retries: `Upload` does. You can interrupt every method. When the interruption
 * returns, the request has been stopped and its body is no longer read.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Body } from "./Body.ts"
import * as Connection from "./internal/client/endpoint.ts"
import * as Requests from "./internal/client/requests.ts"
import type { Keys, Signer } from "./internal/client/signer.ts"
import * as AliOss from "./internal/client/aliOssSigner.ts"
import * as Hmac from "./internal/client/hmacSigner.ts"
import * as Presigned from "./internal/client/presignedSigner.ts"
import * as WebCrypto from "./internal/client/webCryptoSigner.ts"
import type { ObjectOptions } from "./ObjectOptions.ts"
import * as OssCredentials from "./OssCredentials.ts"
import type { OssError } from "./OssError.ts"
import { Operation } from "./OssError.ts"
import type {
  ObjectHead,
  ObjectPage,
  ObjectReceipt,
  PartPage,
  PartReceipt,
  UploadPage,
  UploadPosition
} from "./OssModel.ts"
import { InvalidRequest } from "./UploadError.ts"
import * as Credentials from "./internal/client/credentials.ts"

/**
 * The requests to one bucket.
 *
 * @category services
 * @since 0.1.0
 */
export class OssClient extends Context.Service<
  OssClient,
  {
    /** The endpoint of the bucket, for instance `https://oss-cn-hangzhou.aliyuncs.com`. */
    readonly endpoint: string
    /** The name of the bucket. */
    readonly bucket: string

    /** Begins an upload in parts. An existing object stays as it is until `complete`. */
    readonly initiate: (
      key: string,
      options?: ObjectOptions
    ) => Effect.Effect<{ readonly uploadId: string }, OssError>

    /** Sends one part. A part with the same number is replaced. Fails with the body's error if the body can't be read. */
    readonly uploadPart: <E>(part: {
      readonly key: string
      readonly uploadId: string
      readonly number: number
      readonly body: Body<E>
    }) => Effect.Effect<PartReceipt, OssError | E>

    /** Returns one page of the parts that OSS has, ascending by number. For the next page, set `after` to the last part number of this one. */
    readonly listParts: (request: {
      readonly key: string
      readonly uploadId: string
      readonly after?: number | undefined
    }) => Effect.Effect<PartPage, OssError>

    /** Makes an object of the parts. Afterwards the upload id is no longer valid. */
    readonly complete: (request: {
      readonly key: string
      readonly uploadId: string
      /** Ascending by number. */
      readonly parts: ReadonlyArray<{ readonly number: number; readonly etag: string }>
      readonly options?: ObjectOptions | undefined
    }) => Effect.Effect<ObjectReceipt, OssError>

    /** Gives up an upload and deletes its parts. Parts that are still being sent are not deleted: stop them first. */
    readonly abort: (request: {
      readonly key: string
      readonly uploadId: string
    }) => Effect.Effect<void, OssError>

    /** Returns one page of the unfinished uploads, ascending by key and upload id. */
    readonly listUploads: (request: {
      readonly prefix?: string | undefined
      /** `next` of the previous page. */
      readonly after?: UploadPosition | undefined
    }) => Effect.Effect<UploadPage, OssError>

    /** Returns the size, ETag, CRC64 and other facts of an object. */
    readonly head: (key: string) => Effect.Effect<ObjectHead, OssError>

    /** Stores an object with one request. Fails with the body's error if the body can't be read. */
    readonly put: <E>(request: {
      readonly key: string
      readonly body: Body<E>
      readonly options?: ObjectOptions | undefined
    }) => Effect.Effect<ObjectReceipt, OssError | E>

    /** Returns one page of the objects whose keys begin with `prefix`, ascending by key. */
    readonly listObjects: (request: {
      readonly prefix?: string | undefined
      /** Groups keys that contain it after the prefix. Each group appears once, in `prefixes`. Use `/` to list one folder at a time. */
      readonly delimiter?: string | undefined
      /** `next` of the previous page. */
      readonly after?: string | undefined
    }) => Effect.Effect<ObjectPage, OssError>

    /** Deletes an object. Succeeds if there is none. In a bucket with versioning, the versions stay. */
    readonly delete: (key: string) => Effect.Effect<void, OssError>
  }
>()("@effect-oss/core/OssClient") {}

/**
 * The bucket, its endpoint and the keys.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<E = never, R = never> {
  /** The name of the bucket. */
  readonly bucket: string
  /**
   * The region of the bucket, such as `cn-hangzhou` or `oss-cn-hangzhou`. Default:
   * the region in the endpoint's name. Set it for an endpoint of OSS without a
   * region in its name, such as `oss-accelerate.aliyuncs.com`. For an endpoint
   * that is not OSS's own, the default is `cn-hangzhou`.
   */
  readonly region?: string | undefined
  /** A host name, with `http://` or `https://` and a port if you need them. Default: the public endpoint of the region. */
  readonly endpoint?: string | undefined
  /** True: the bucket's name is in the path. False: it is in the host name. Default: true if the endpoint is an IP address or `localhost`, else false. */
  readonly pathStyle?: boolean | undefined
  /** True: the endpoint is a custom domain bound to the bucket. Default: false. */
  readonly cname?: boolean | undefined
  /** True: use the region's internal endpoint, which works only inside Alibaba Cloud. Default: false. */
  readonly internal?: boolean | undefined
  /** False: use HTTP if the endpoint has no scheme. Default: true, which uses HTTPS. */
  readonly secure?: boolean | undefined
  /** The version of the signature. `v1` loads the package ali-oss. Default: `v4`. */
  readonly signature?: "v4" | "v1" | undefined
  /** True: you agree to pay for requests if the bucket's owner requires it. Default: false. */
  readonly requestPayer?: boolean | undefined
  /** The most that OSS accepts on each connection, in bits a second: 819,200 to 838,860,800. Default: no limit. */
  readonly trafficLimit?: number | undefined
  /** Fixed keys, or an effect that fetches them: see `OssCredentials.Source`. */
  readonly credentials: OssCredentials.Source<E, R>
}

/**
 * Makes a client that signs with your keys and sends over `HttpClient`. Building
 * the layer sends nothing.
 *
 * **Details**
 *
 * Each request is signed with the current keys. If OSS says that they have expired,
 * the request fails with reason `CredentialsExpired`, and the client fetches new
 * keys once for all later requests. If there are no keys, the request fails with
 * `CredentialsExpired`, or with `NoCredentials` if fetching them again doesn't help.
 *
 * If this machine's clock is wrong, the first request fails with reason
 * `ClockSkew`. The client learns the difference and signs later requests with the
 * right time.
 *
 * **Example** (temporary keys)
 *
 * ```ts
 * import { OssClient } from "@effect-oss/core"
 * import { Effect, Redacted } from "effect"
 *
 * const layer = OssClient.layer({
 *   bucket: "backups",
 *   region: "cn-hangzhou",
 *   credentials: Effect.succeed({
 *     accessKeyId: "STS.example",
 *     accessKeySecret: Redacted.make("example"),
 *     securityToken: Redacted.make("example")
 *   })
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <E = never, R = never>(
  options: Options<E, R>
): Layer.Layer<OssClient, InvalidRequest, HttpClient.HttpClient | R> =>
  Layer.effect(
    OssClient,
    Effect.gen(function* () {
      const connection = yield* Effect.fromResult(Connection.resolve(options))
      const http = yield* HttpClient.HttpClient
      const signer = yield* signerFor(connection, yield* keysOf(options.credentials))
      return OssClient.of(Requests.make({ connection, http, signer }))
    })
  )

/** Version 4 uses node:crypto, or else Web Crypto. Version 1 uses ali-oss. */
const signerFor = (
  connection: Connection.Connection,
  keys: Keys
): Effect.Effect<Signer, InvalidRequest> => {
  if (connection.signature === "v1") return AliOss.load(connection, keys)
  const hashes = Hmac.hashModule()
  return hashes === undefined
    ? webCryptoSigner(connection, keys)
    : Effect.succeed(Hmac.make(connection, keys, hashes))
}

const webCryptoSigner = (connection: Connection.Connection, keys: Keys) =>
  Effect.suspend(() => {
    const crypto = WebCrypto.subtle()
    return crypto === undefined
      ? Effect.fail(noWebCrypto)
      : Effect.succeed(WebCrypto.make(connection, keys, crypto))
  })

/**
 * Makes a client that signs with the runtime's Web Crypto: in browsers, workers,
 * Deno, Bun and Node. It loads neither ali-oss nor modules of Node.
 *
 * **When to use**
 *
 * Use it in browsers with temporary keys, and in workers. It signs with version 4.
 * Everything else is as for `layer`.
 *
 * **Gotchas**
 *
 * A page has Web Crypto only if it was loaded over HTTPS or from `localhost`.
 *
 * **Example** (a page with temporary keys)
 *
 * ```ts
 * import { OssClient } from "@effect-oss/core"
 * import { Effect, Redacted } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { Layer } from "effect"
 *
 * const layer = OssClient.layerWebCrypto({
 *   bucket: "photos",
 *   region: "cn-hangzhou",
 *   credentials: Effect.succeed({
 *     accessKeyId: "STS.example",
 *     accessKeySecret: Redacted.make("example"),
 *     securityToken: Redacted.make("example")
 *   })
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWebCrypto = <E = never, R = never>(
  options: Omit<Options<E, R>, "signature">
): Layer.Layer<OssClient, InvalidRequest, HttpClient.HttpClient | R> =>
  Layer.effect(
    OssClient,
    Effect.gen(function* () {
      const connection = yield* Effect.fromResult(
        Connection.resolve({ ...options, signature: "v4" })
      )
      const http = yield* HttpClient.HttpClient
      const signer = yield* webCryptoSigner(connection, yield* keysOf(options.credentials))
      return OssClient.of(Requests.make({ connection, http, signer }))
    })
  )

const noWebCrypto = new InvalidRequest({
  field: "crypto",
  problem: "there is no Web Crypto here",
  remedy: "load the page over HTTPS or from localhost, or have URLs signed with layerPresigned"
})

/**
 * Makes a client as `layer` does, and reads missing options from the environment:
 * `OSS_BUCKET`, `OSS_REGION`, `OSS_ENDPOINT`, `OSS_PATH_STYLE`, `OSS_CNAME`,
 * `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and, for temporary keys,
 * `OSS_SESSION_TOKEN`. Options that you give win over the environment. An empty
 * variable counts as not set.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = <E = never, R = never>(
  given: Partial<Options<E, R>> = {}
): Layer.Layer<OssClient, Config.ConfigError | InvalidRequest, HttpClient.HttpClient | R> =>
  Layer.unwrap(
    Effect.gen(function* () {
      return layer({
        ...given,
        bucket: given.bucket ?? (yield* Config.NonEmptyString("OSS_BUCKET")),
        region: given.region ?? (yield* optionalText("OSS_REGION")),
        endpoint: given.endpoint ?? (yield* optionalText("OSS_ENDPOINT")),
        pathStyle: given.pathStyle ?? (yield* optionalFlag("OSS_PATH_STYLE")),
        cname: given.cname ?? (yield* optionalFlag("OSS_CNAME")),
        credentials: given.credentials ?? (yield* fixedKeys())
      })
    })
  )

/**
 * The request that `sign` of `layerPresigned` gets.
 *
 * @category models
 * @since 0.1.0
 */
export const PresignRequest = /*#__PURE__*/ Schema.Struct({
  /** What the request does, such as `uploadPart`. */
  operation: Operation,
  /** The HTTP method, such as `PUT`. */
  method: Schema.String,
  /** The object's key. Absent for `listUploads` and `listObjects`, which concern the bucket. */
  key: Schema.optionalKey(Schema.String),
  /** The query parameters, not encoded, such as `uploadId` and `partNumber`. The value is null for a parameter without a value, such as `uploads`. */
  query: Schema.Record(Schema.String, Schema.NullOr(Schema.String)),
  /** The headers of the request that have to be signed: `content-type`, `content-md5` and `x-oss-*`. */
  headers: Schema.Record(Schema.String, Schema.String)
})

/**
 * The request that `sign` of `layerPresigned` gets.
 *
 * @category models
 * @since 0.1.0
 */
export interface PresignRequest extends Schema.Schema.Type<typeof PresignRequest> {}

/** The bucket, its endpoint and the function that signs requests. */
interface PresignedOptions<E = never, R = never> extends Omit<
  Options,
  "credentials" | "signature"
> {
  /**
   * Returns the presigned URL of a request, or undefined to refuse it, as if OSS
   * had refused it. It is called for each attempt, so a URL only needs to be valid
   * for a few minutes. If it fails, the error should say what happened in
   * `message`.
   */
  readonly sign: (request: PresignRequest) => Effect.Effect<string | undefined, E, R>
}

/**
 * Makes a client without keys. Your server, which has the keys, signs the URL of
 * each request.
 *
 * **Details**
 *
 * Your server should sign these operations:
 *
 * - `initiate`, `uploadPart` and `complete`, and `put` for sources smaller than a
 *   part: every upload needs them.
 * - `listParts`, to resume after a lost record; `head`, to settle a lost
 *   response; `listUploads` and `abort`, to clean up. They are optional.
 * - No upload needs `listObjects` and `delete`.
 *
 * The error of `sign` decides what an upload does:
 *
 * - `isRetryable: true`, a network error, or an HTTP status 5xx, 408, 425 or 429:
 *   the upload waits, as it waits for OSS.
 * - `isRetryable: false`, or another HTTP status from 400 on: the request fails
 *   with reason `AccessDenied`.
 * - Any other error: the request is retried as often as the policy says.
 *
 * **Gotchas**
 *
 * Your server decides what this client can do. Check `operation`, `method`, `key`,
 * `query` and `headers` before you sign.
 *
 * **Example** (a server at `/sign`)
 *
 * ```ts
 * import { OssClient } from "@effect-oss/core"
 * import { Effect } from "effect"
 * import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
 *
 * const layer = OssClient.layerPresigned({
 *   bucket: "photos",
 *   region: "cn-hangzhou",
 *   sign: (request) =>
 *     HttpClientRequest.post("https://app.example/sign").pipe(
 *       HttpClientRequest.bodyJsonUnsafe(request),
 *       HttpClient.execute,
 *       Effect.flatMap((response) =>
 *         response.status === 403
 *           ? Effect.undefined
 *           : Effect.flatMap(HttpClientResponse.filterStatusOk(response), ({ text }) => text)
 *       )
 *     )
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerPresigned = <E = never, R = never>(
  options: PresignedOptions<E, R>
): Layer.Layer<OssClient, InvalidRequest, HttpClient.HttpClient | R> =>
  Layer.effect(
    OssClient,
    Effect.gen(function* () {
      const connection = yield* Effect.fromResult(
        Connection.resolve({ ...options, signature: "none" })
      )
      const http = yield* HttpClient.HttpClient
      const context = yield* Effect.context<R>()
      const signer = Presigned.make((request) =>
        Effect.provideContext(options.sign(request), context)
      )
      return OssClient.of(Requests.make({ connection, http, signer }))
    })
  )

/** A client of the package ali-oss, `new OSS({ … })`. */
interface AliOssClient {
  readonly multipartUpload: (...args: never) => Promise<unknown>
  readonly listParts: (...args: never) => Promise<unknown>
}

/**
 * Makes a client from an existing ali-oss client. It uses that client's bucket,
 * endpoint, keys and refresh of temporary keys. You can go on using the ali-oss
 * client. Its HTTP engine, timeouts and retries are not used: requests go through
 * `HttpClient`.
 *
 * **Example** (alongside ali-oss)
 *
 * ```ts
 * import { OssClient } from "@effect-oss/core"
 * import OSS from "ali-oss"
 *
 * const oss = new OSS({
 *   bucket: "backups",
 *   region: "oss-cn-hangzhou",
 *   accessKeyId: "example",
 *   accessKeySecret: "example"
 * })
 * const layer = OssClient.fromAliOss(oss)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const fromAliOss = (
  client: AliOssClient
): Layer.Layer<OssClient, InvalidRequest, HttpClient.HttpClient> =>
  Layer.effect(
    OssClient,
    Effect.gen(function* () {
      const borrowed = yield* Effect.fromResult(AliOss.borrow(client))
      const http = yield* HttpClient.HttpClient
      return OssClient.of(Requests.make({ ...borrowed, http }))
    })
  )

const keysOf = Effect.fnUntraced(function* <E, R>(
  source: OssCredentials.Source<E, R>
): Effect.fn.Return<Keys, never, R> {
  const context = yield* Effect.context<R>()
  const { current, ...renewal } = yield* Credentials.make(source)
  return { ...renewal, current: (time) => Effect.provideContext(current(time), context) }
})

const optionalText = (name: string) =>
  Config.map(Config.option(Config.String(name)), (text) =>
    Option.getOrUndefined(Option.filter(text, (text) => text !== ""))
  )

const optionalFlag = (name: string) =>
  Config.flatMap(optionalText(name), (text) =>
    text === undefined ? Config.succeed(undefined) : Config.Boolean(name)
  )

/** A function, so that bundles without `layerConfig` leave it out, and `Config` too. */
const fixedKeys = () =>
  Config.all({
    accessKeyId: Config.NonEmptyString("OSS_ACCESS_KEY_ID"),
    accessKeySecret: Config.schema(Schema.Redacted(Schema.NonEmptyString), "OSS_ACCESS_KEY_SECRET"),
    securityToken: Config.map(optionalText("OSS_SESSION_TOKEN"), (token) =>
      token === undefined ? undefined : Redacted.make(token)
    )
  })
