/**
 * OSS, one method a request. A client is bound to one bucket. It signs, sends,
 * reads the answer and classifies what went wrong; it never retries, plans or
 * resumes, so that one call is one request on the wire. Everything is
 * interruptible: once interruption returns, the request is off the wire and its
 * body is no longer read.
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
    /** Where the bucket is, for instance `https://oss-cn-hangzhou.aliyuncs.com`. */
    readonly endpoint: string
    readonly bucket: string

    /** Begins an upload. An existing object stays as it is until `complete`. */
    readonly initiate: (
      key: string,
      options?: ObjectOptions
    ) => Effect.Effect<{ readonly uploadId: string }, OssError>

    /** Sends one part; the same number again replaces it. Fails with the body's error if that can't be read. */
    readonly uploadPart: <E>(part: {
      readonly key: string
      readonly uploadId: string
      readonly number: number
      readonly body: Body<E>
    }) => Effect.Effect<PartReceipt, OssError | E>

    /** One page of the parts that OSS has, ascending; `after` is the last part number of the page before. */
    readonly listParts: (request: {
      readonly key: string
      readonly uploadId: string
      readonly after?: number | undefined
    }) => Effect.Effect<PartPage, OssError>

    /** Makes the parts an object; then the upload id is gone. */
    readonly complete: (request: {
      readonly key: string
      readonly uploadId: string
      /** Ascending by number. */
      readonly parts: ReadonlyArray<{ readonly number: number; readonly etag: string }>
      readonly options?: ObjectOptions | undefined
    }) => Effect.Effect<ObjectReceipt, OssError>

    /** Gives up an upload and its parts. Parts that are still being sent are not deleted: stop them first. */
    readonly abort: (request: {
      readonly key: string
      readonly uploadId: string
    }) => Effect.Effect<void, OssError>

    /** One page of the uploads that are under way, ascending by key and upload id. */
    readonly listUploads: (request: {
      readonly prefix?: string | undefined
      /** `next` of the page before. */
      readonly after?: UploadPosition | undefined
    }) => Effect.Effect<UploadPage, OssError>

    /** What is stored under a key. */
    readonly head: (key: string) => Effect.Effect<ObjectHead, OssError>

    /** Stores an object with one request. Fails with the body's error if that can't be read. */
    readonly put: <E>(request: {
      readonly key: string
      readonly body: Body<E>
      readonly options?: ObjectOptions | undefined
    }) => Effect.Effect<ObjectReceipt, OssError | E>

    /** One page of the objects whose keys begin with `prefix`, ascending by key. */
    readonly listObjects: (request: {
      readonly prefix?: string | undefined
      /** Keys that have it behind the prefix are told of once, by what they begin with: `/` for a folder at a time. */
      readonly delimiter?: string | undefined
      /** `next` of the page before. */
      readonly after?: string | undefined
    }) => Effect.Effect<ObjectPage, OssError>

    /** Removes an object. Succeeds also if there is none; in a bucket with versions, those stay. */
    readonly delete: (key: string) => Effect.Effect<void, OssError>
  }
>()("@effect-oss/core/OssClient") {}

/**
 * Where a bucket is and who asks.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<E = never, R = never> {
  readonly bucket: string
  /**
   * `cn-hangzhou` or `oss-cn-hangzhou`. Default: what the endpoint says. An
   * endpoint of OSS's that says none, such as `oss-accelerate.aliyuncs.com`,
   * needs it; with any other one the default is `cn-hangzhou`.
   */
  readonly region?: string | undefined
  /** A host, with `http://` or `https://` and a port if need be. Default: that of the region. */
  readonly endpoint?: string | undefined
  /** True: the bucket is in the path. Default: true at an IP address and at `localhost`, else false: it is in the host name. */
  readonly pathStyle?: boolean | undefined
  /** True: the endpoint is a domain of the bucket's own. Default: false. */
  readonly cname?: boolean | undefined
  /** True: take the region's endpoint inside Alibaba Cloud's network. Default: false. */
  readonly internal?: boolean | undefined
  /** False: HTTP where the endpoint doesn't say. Default: HTTPS. */
  readonly secure?: boolean | undefined
  /** Default: `v4`. The package ali-oss signs version 1: it is loaded then. */
  readonly signature?: "v4" | "v1" | undefined
  /** True: the requester pays, not the bucket's owner, where the owner asks for it. Default: false. */
  readonly requestPayer?: boolean | undefined
  /** The most that OSS takes of each connection, in bits a second: 819,200 to 838,860,800. Default: no limit. */
  readonly trafficLimit?: number | undefined
  readonly credentials: OssCredentials.Source<E, R>
}

/**
 * A client over HTTP. Nothing is sent until a request is made.
 *
 * **Details**
 *
 * Requests are signed with the keys that are current then; keys that OSS calls
 * expired are refreshed once for all requests, and never sent again. The request
 * that learnt it still fails, with reason `CredentialsExpired`. So does one for
 * which there are no keys; with `NoCredentials`, if asking again does not help. Likewise, `ClockSkew` fails the request that learnt
 * how far this machine's clock is off; later ones are signed with the right
 * time.
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

/** Version 4 is signed here, by what the runtime has; version 1 by ali-oss. */
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
 * A client over HTTP that signs with the runtime's Web Crypto, in browsers,
 * workers, Deno, Bun and Node. It loads neither ali-oss nor anything of Node.
 *
 * **When to use**
 *
 * In browsers with temporary keys, and in workers. Otherwise it is as `layer`,
 * and signs with version 4.
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
 * A client over HTTP, as the environment says: `OSS_BUCKET`, `OSS_REGION`,
 * `OSS_ENDPOINT`, `OSS_PATH_STYLE`, `OSS_CNAME`, `OSS_ACCESS_KEY_ID`,
 * `OSS_ACCESS_KEY_SECRET` and, for temporary keys, `OSS_SESSION_TOKEN`. What is
 * given as an argument is not read from there. A variable that is set to
 * nothing counts as not set.
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
 * A request to be signed by somebody else.
 *
 * @category models
 * @since 0.1.0
 */
export const PresignRequest = /*#__PURE__*/ Schema.Struct({
  operation: Operation,
  method: Schema.String,
  /** Absent for `listUploads` and `listObjects`, which are about the bucket. */
  key: Schema.optionalKey(Schema.String),
  /** As they are, not encoded: `uploadId` and `partNumber` for a part. Null for a name without a value, such as `uploads`. */
  query: Schema.Record(Schema.String, Schema.NullOr(Schema.String)),
  /** Go with the request, and have to be signed: `content-type`, `content-md5`, `x-oss-*`. */
  headers: Schema.Record(Schema.String, Schema.String)
})

/**
 * A request to be signed by somebody else.
 *
 * @category models
 * @since 0.1.0
 */
export interface PresignRequest extends Schema.Schema.Type<typeof PresignRequest> {}

/** Where a bucket is, and who signs requests to it. */
interface PresignedOptions<E = never, R = never> extends Omit<
  Options,
  "credentials" | "signature"
> {
  /**
   * The presigned URL of a request; undefined if it is not to be made, which is
   * then what a refusal by OSS would be. Asked anew for each attempt, so that a
   * URL needs to be good for a few minutes only. What it fails with should say
   * what happened in its `message`.
   */
  readonly sign: (request: PresignRequest) => Effect.Effect<string | undefined, E, R>
}

/**
 * A client without keys: each request goes to a URL that somebody signs who has
 * them, such as a server of yours.
 *
 * **Details**
 *
 * An upload needs `initiate`, `uploadPart` and `complete`, or `put` for what is
 * smaller than a part. To resume as well as can be it needs `listParts`, to
 * settle lost answers `head`, to clean up `listUploads` and `abort`; all of
 * these may be left unsigned, as they may be forbidden. No upload needs
 * `listObjects` and `delete`. If `sign` can't reach its
 * server, uploads wait as they do for OSS: an error with `isRetryable: true`, one
 * of the network's, or an HTTP status 5xx, 408 or 429. With `isRetryable: false`
 * or another status from 400 on, it refuses, with reason `AccessDenied`. After
 * any other error the request is sent again, as often as the policy says.
 *
 * **Gotchas**
 *
 * Whoever signs decides what this client can do: look at `operation`, `method`,
 * `key`, `query` and `headers`, and let it set no more than it should.
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
 * A client that signs as an ali-oss client does that is there already: with its
 * bucket, endpoint, keys and refresh of temporary keys. That one stays as it is
 * and may go on being used, also for uploads. Its HTTP engine, timeouts and
 * retries are not used: requests are carried by `HttpClient`.
 *
 * **Example** (beside ali-oss)
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

/** Made when it is needed: a page leaves it out, and `Config` with it. */
const fixedKeys = () =>
  Config.all({
    accessKeyId: Config.NonEmptyString("OSS_ACCESS_KEY_ID"),
    accessKeySecret: Config.schema(Schema.Redacted(Schema.NonEmptyString), "OSS_ACCESS_KEY_SECRET"),
    securityToken: Config.map(optionalText("OSS_SESSION_TOKEN"), (token) =>
      token === undefined ? undefined : Redacted.make(token)
    )
  })
