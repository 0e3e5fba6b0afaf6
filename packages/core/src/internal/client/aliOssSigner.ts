/**
 * Signs with ali-oss. Only this file uses ali-oss, and only for signatures:
 * requests are built, sent and read elsewhere.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Credentials } from "../../OssCredentials.ts"
import { type CredentialsExpired, type NoCredentials, Rejected } from "../../OssError.ts"
import { InvalidRequest } from "../../UploadError.ts"
import { type Connection, connect } from "./endpoint.ts"
import { type Request, urlOf } from "./request.ts"
import {
  type Keys,
  type Renewal,
  renewalOf,
  type Signed,
  type Signer,
  withoutKeys
} from "./signer.ts"
import * as V4 from "./v4.ts"

/** The parts of an ali-oss client used here. ali-oss's published types omit them. */
interface Methods {
  readonly options: Options
  readonly userAgent: string
  readonly authorization: (
    method: string,
    resource: string,
    parameters: object,
    headers: object
  ) => string
  readonly authorizationV4: (
    method: string,
    request: { readonly headers: object; readonly queries: object },
    bucket: string,
    key: string | undefined
  ) => string
}

interface Options {
  readonly accessKeyId: string
  readonly stsToken?: string | null | undefined
}

/** Signs with this library's keys. Imports ali-oss late, since loading it takes 0.2 seconds. */
export const load = Effect.fnUntraced(function* (connection: Connection, keys: Keys) {
  const { default: Client } = yield* Effect.promise(() => import("ali-oss"))
  // Browser bundles omit ali-oss: see `browser` in package.json.
  if (typeof Client !== "function") return yield* absent
  let last: readonly [Credentials, Methods] | undefined
  const clientFor = (credentials: Credentials): Methods => {
    if (last?.[0] === credentials) return last[1]
    const client = methodsOf(
      new Client({
        ...keyOptions(credentials),
        region: connection.region,
        bucket: connection.bucket
      })
    )
    last = [credentials, client]
    return client
  }
  return {
    sign: Effect.fnUntraced(function* (request, time) {
      const used = yield* Effect.mapError(keys.current(time), withoutKeys)
      return yield* signWith(
        connection,
        () => clientFor(used),
        request,
        time,
        renewalOf(keys, used)
      )
    })
  } satisfies Signer
})

const absent = new InvalidRequest({
  field: "signature",
  problem: "ali-oss, which signs with version 1, is not part of a bundle for browsers",
  remedy: "sign with version 4, or use OssClient.layerPresigned"
})

/** The interval silences ali-oss's warning that it can't refresh tokens. It need not here. */
const keyOptions = ({ accessKeyId, accessKeySecret, securityToken }: Credentials) => ({
  accessKeyId: accessKeyId.trim(),
  accessKeySecret: Redacted.value(accessKeySecret).trim(),
  ...(securityToken === undefined
    ? {}
    : { stsToken: Redacted.value(securityToken).trim(), refreshSTSTokenInterval: Infinity })
})

/** The client, with `headerEncoding` set to UTF-8: any other encoding would sign other bytes. */
const methodsOf = (client: object): Methods =>
  Object.create(client, {
    options: {
      get: () =>
        Object.create(Reflect.get(client, "options"), { headerEncoding: { value: "utf-8" } })
    }
  })

const signWith = (
  connection: Connection,
  clientOf: () => Methods,
  request: Request,
  time: number,
  renewal: Renewal
): Effect.Effect<Signed, Rejected> =>
  Effect.try({
    try: () => {
      const client = clientOf()
      const headers =
        connection.signature === "v4"
          ? signedV4(connection, client, request, time)
          : signedV1(connection, client, request, time)
      return {
        url: urlOf(connection, request),
        headers: { ...headers, "user-agent": client.userAgent },
        ...renewal
      }
    },
    catch: (thrown) => new Rejected({ description: `it could not be signed: ${thrown}` })
  })

const signedV4 = (
  { bucket }: Connection,
  client: Methods,
  { method, key, query, headers }: Request,
  time: number
) => {
  const signed = V4.headersOf(headers, V4.isoOf(time), client.options.stsToken ?? undefined)
  const authorization = client.authorizationV4(
    method,
    { headers: signed, queries: query },
    bucket,
    key
  )
  return { ...signed, authorization }
}

const signedV1 = (
  { bucket }: Connection,
  client: Methods,
  { method, key = "", query, headers }: Request,
  time: number
) => {
  const { stsToken } = client.options
  const signed: Record<string, string> = {
    ...headers,
    "x-oss-date": new Date(time).toUTCString(),
    ...(stsToken ? { "x-oss-security-token": stsToken } : {})
  }
  const parameters = Object.fromEntries(
    Object.entries(query).filter(([name]) => subResources.has(name))
  )
  const authorization = client.authorization(method, `/${bucket}/${key}`, parameters, signed)
  return { ...signed, authorization }
}

/** The query parameters that version 1 signs. */
const subResources: ReadonlySet<string> = new Set(["uploads", "uploadId", "partNumber"])

// An ali-oss client that the user made.

interface Client {
  readonly options: Record<string, unknown>
  stsTokenFreshTime: unknown
}

export interface Borrowed {
  readonly connection: Connection
  readonly signer: Signer
}

/**
 * Signs with the user's ali-oss client. Changes only what ali-oss itself would
 * change: it stores new temporary keys and the time they were fetched.
 */
export const borrow = (client: unknown): Result.Result<Borrowed, InvalidRequest> =>
  isClient(client)
    ? Result.map(connectionOf(client), (connection) => ({
        connection,
        signer: borrowedSigner(client, connection)
      }))
    : Result.fail(unusable("it has no options"))

const isClient = (client: unknown): client is Client =>
  typeof client === "object" &&
  client !== null &&
  "options" in client &&
  typeof client.options === "object" &&
  client.options !== null

const unusable = (problem: string) =>
  new InvalidRequest({
    field: "client",
    problem: `this ali-oss client can't be used: ${problem}`,
    remedy: "give a client of ali-oss 6 that has a bucket"
  })

const Flag = Schema.optional(Schema.NullOr(Schema.Boolean))
const decodeOptions = Schema.decodeUnknownResult(
  Schema.Struct({
    bucket: Schema.NonEmptyString,
    region: Schema.optional(Schema.NullOr(Schema.String)),
    endpoint: Schema.Struct({ protocol: Schema.String, host: Schema.String }),
    cname: Flag,
    sldEnable: Flag,
    authorizationV4: Flag,
    isRequestPay: Flag
  })
)

const connectionOf = ({ options }: Client): Result.Result<Connection, InvalidRequest> =>
  Result.mapBoth(decodeOptions(options), {
    onFailure: ({ message }) => unusable(message),
    onSuccess: ({ bucket, region, endpoint, cname, sldEnable, authorizationV4, isRequestPay }) =>
      connect({
        bucket,
        region: region ?? "",
        endpoint: `${endpoint.protocol}//${endpoint.host}`,
        pathStyle: sldEnable ?? false,
        cname: cname ?? false,
        signature: authorizationV4 ? "v4" : "v1",
        requestPayer: isRequestPay ?? false
      })
  })

const borrowedSigner = (client: Client, connection: Connection): Signer => {
  const methods = methodsOf(client)
  const refreshing = refresher(client)
  return {
    sign: Effect.fnUntraced(function* (request, time) {
      if (isDue(client)) yield* refreshing
      const token = client.options["stsToken"]
      // Makes ali-oss's own refresh due now, unless the token has been replaced since.
      const expired = Effect.sync(() => {
        if (token === client.options["stsToken"]) client.stsTokenFreshTime = new Date(0)
      })
      const unknown = Effect.suspend(() => {
        if (token !== client.options["stsToken"]) return Effect.succeed(true)
        return canRefresh(client) && ageOf(client) >= leastAge
          ? Effect.as(expired, true)
          : Effect.succeed(false)
      })
      return yield* signWith(connection, () => methods, request, time, { expired, unknown })
    })
  }
}

/** Decides as ali-oss does. */
const isDue = (client: Client): boolean =>
  canRefresh(client) && ageOf(client) >= Number(client.options["refreshSTSTokenInterval"])

const canRefresh = ({ options }: Client): boolean =>
  Boolean(options["stsToken"]) && typeof options["refreshSTSToken"] === "function"

/** In milliseconds. */
const ageOf = ({ stsTokenFreshTime }: Client): number =>
  new Date().getTime() - Number(stsTokenFreshTime)

/** In milliseconds. A younger token that OSS doesn't know is wrong, and a new one would be too. */
const leastAge = 60_000

/** All waiting requests share one refresh. It continues if they are interrupted. */
const refresher = (client: Client): Effect.Effect<void, CredentialsExpired | NoCredentials> => {
  let underWay: Promise<void> | undefined
  return Effect.tryPromise({
    try: () => {
      underWay ??= refresh(client).finally(() => {
        underWay = undefined
      })
      return underWay
    },
    catch: withoutKeys
  })
}

const decodeKeys = Schema.decodeUnknownSync(
  Schema.Struct({
    accessKeyId: Schema.NonEmptyString,
    accessKeySecret: Schema.NonEmptyString,
    stsToken: Schema.NonEmptyString
  })
)

/** Refreshes as ali-oss does. */
const refresh = (client: Client): Promise<void> =>
  new Promise<object>((resolve) => {
    resolve(Object(client.options["refreshSTSToken"]).call(client.options))
  }).then((refreshed) => {
    const fields = Object.fromEntries(
      Object.entries(refreshed).map(([name, value]) => [
        name.charAt(0).toLowerCase() + name.slice(1),
        value
      ])
    )
    const stsToken = fields["securityToken"] || fields["stsToken"]
    Object.assign(client.options, decodeKeys({ ...fields, stsToken }))
    client.stsTokenFreshTime = new Date()
  })
