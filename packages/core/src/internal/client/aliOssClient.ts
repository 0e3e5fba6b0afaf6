/**
 * An ali-oss client of the user's own, borrowed for signing. It is left as it
 * is: calls run on clients derived from it, which see its options as they are
 * at that moment, and write to it only what ali-oss itself would: new temporary
 * keys, and when they were got.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Credentials, Provider } from "../../OssCredentials.ts"
import { InvalidRequest } from "../../UploadError.ts"
import * as AliOss from "./aliOss.ts"
import type { Connection } from "./endpoint.ts"

interface Client {
  readonly options: Readonly<Record<string, unknown>>
  stsTokenFreshTime: unknown
}

export interface Borrowed {
  readonly connection: Connection
  readonly keys: Provider
  readonly signer: AliOss.Signer
}

export const borrow = (client: unknown): Result.Result<Borrowed, InvalidRequest> =>
  isClient(client)
    ? Result.map(connectionOf(client), (connection) => ({
        connection,
        keys: { current: currentKeys(client), expired: (used) => renew(client, used) },
        signer: AliOss.signer((_, skew, request) => derive(client, skew, request), connection)
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
    authorizationV4: Flag
  })
)

const connectionOf = ({ options }: Client): Result.Result<Connection, InvalidRequest> =>
  Result.mapBoth(decodeOptions(options), {
    onFailure: ({ message }) => unusable(message),
    onSuccess: ({ bucket, region, endpoint, cname, sldEnable, authorizationV4 }) => ({
      bucket,
      region: region ?? "",
      endpoint: `${endpoint.protocol}//${endpoint.host}`,
      pathStyle: sldEnable ?? false,
      cname: cname ?? false,
      signature: authorizationV4 ? ("v4" as const) : ("v1" as const)
    })
  })

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

const currentKeys = ({ options }: Client) =>
  Effect.sync((): Credentials => ({
    accessKeyId: textOf(options["accessKeyId"]),
    accessKeySecret: Redacted.make(textOf(options["accessKeySecret"])),
    securityToken: Redacted.make(textOf(options["stsToken"]))
  }))

/** The client's own refresh is due at once; unless it has been since. */
const renew = (client: Client, { securityToken }: Credentials) =>
  Effect.sync(() => {
    const used = securityToken === undefined ? "" : Redacted.value(securityToken)
    if (used === textOf(client.options["stsToken"])) client.stsTokenFreshTime = new Date(0)
  })

const derive = (base: Client, skew: number, request: AliOss.Request): AliOss.Methods =>
  Object.create(base, {
    options: { value: ownOptions(base.options, { ...AliOss.carried, amendTimeSkewed: skew }) },
    urllib: { value: { request } },
    stsTokenFreshTime: {
      get: () => base.stsTokenFreshTime,
      set: (time: unknown) => {
        base.stsTokenFreshTime = time
      }
    }
  })

/** The options themselves, but for a few that one call has for its own. */
const ownOptions = (options: object, own: Readonly<Record<string, unknown>>) => {
  const overlay = new Map<PropertyKey, unknown>(Object.entries(own))
  return new Proxy(options, {
    get: (target, name) => (overlay.has(name) ? overlay.get(name) : Reflect.get(target, name)),
    set: (target, name, value) => {
      if (!overlay.has(name)) return Reflect.set(target, name, value)
      overlay.set(name, value)
      return true
    }
  })
}
