/** One profile of a file, and the method that it names. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { clip, decode } from "./ask.ts"
import { Absent, type CredentialsError, invalid } from "./error.ts"
import type { Method } from "./method.ts"
import type { Role } from "./sts.ts"

/** Each format has its own names for these. A field that a format doesn't have is absent. */
const Fields = Schema.Struct({
  mode: Schema.optionalKey(Schema.String),
  accessKeyId: Schema.optionalKey(Schema.String),
  accessKeySecret: Schema.optionalKey(Schema.String),
  securityToken: Schema.optionalKey(Schema.String),
  roleArn: Schema.optionalKey(Schema.String),
  sessionName: Schema.optionalKey(Schema.String),
  duration: Schema.optionalKey(Schema.Union([Schema.String, Schema.Finite])),
  policy: Schema.optionalKey(Schema.String),
  externalId: Schema.optionalKey(Schema.String),
  region: Schema.optionalKey(Schema.String),
  roleName: Schema.optionalKey(Schema.String),
  providerArn: Schema.optionalKey(Schema.String),
  tokenFile: Schema.optionalKey(Schema.String),
  command: Schema.optionalKey(Schema.String),
  uri: Schema.optionalKey(Schema.String),
  sourceProfile: Schema.optionalKey(Schema.String)
})

export type Field = keyof typeof Fields.Type

/** The meaning of a profile's mode. */
export type Kind =
  | "keys"
  | "token"
  | "role"
  | "roleOfInstance"
  | "roleOfProfile"
  | "instance"
  | "oidc"
  | "external"
  | "uri"

export interface Format {
  readonly names: Readonly<Partial<Record<Field, string>>>
  readonly modes: Readonly<Record<string, Kind>>
}

export interface Profile {
  /** The file and the profile, for messages. */
  readonly source: string
  /** The values, under the file's own names. */
  readonly values: Readonly<Record<string, unknown>>
  /** Another profile of the same file. */
  readonly other: (name: string) => Effect.Effect<Method, Absent | CredentialsError>
}

export const methodOf = Effect.fnUntraced(function* (
  format: Format,
  { source, values, other }: Profile
): Effect.fn.Return<Method, Absent | CredentialsError> {
  const renamed = Object.fromEntries(
    Object.entries(format.names).flatMap(([field, name]) => {
      const value = values[name]
      return value === undefined || value === null || value === "" ? [] : [[field, value]]
    })
  )
  const fields = yield* Effect.mapError(decode(source, Fields, renamed), (error) =>
    error.reason._tag === "CredentialsInvalid" && error.reason.field !== undefined
      ? invalid(source, "is no text", nameOf(format, error.reason.field))
      : error
  )
  const mode = fields.mode ?? "AK"
  const kind = format.modes[mode.toLowerCase()]
  if (kind === undefined) return yield* new Absent({ why: `mode ${clip(mode)} isn't supported` })
  if (fields.mode === undefined && fields.accessKeyId === undefined) {
    return yield* new Absent({ why: "it has no keys" })
  }
  const need = (field: Field): Effect.Effect<string, CredentialsError> => {
    const value = fields[field]
    return value === undefined
      ? Effect.fail(
          invalid(source, `is missing; mode ${clip(mode)} needs it`, nameOf(format, field))
        )
      : Effect.succeed(String(value))
  }
  return yield* build(kind, fields, need, other)
})

const nameOf = ({ names }: Format, field: string): string =>
  Object.entries(names).find(([own]) => own === field)?.[1] ?? field

const build = Effect.fnUntraced(function* (
  kind: Kind,
  fields: typeof Fields.Type,
  need: (field: Field) => Effect.Effect<string, CredentialsError>,
  other: Profile["other"]
): Effect.fn.Return<Method, Absent | CredentialsError> {
  const { region, roleName } = fields
  const keys = (token: string | undefined) =>
    Effect.gen(function* () {
      const credentials = {
        accessKeyId: yield* need("accessKeyId"),
        accessKeySecret: Redacted.make(yield* need("accessKeySecret")),
        securityToken: token === undefined ? undefined : Redacted.make(token)
      }
      return { _tag: "Keys", credentials } as const
    })
  const role = Effect.map(need("roleArn"), (arn): Role => ({
    arn,
    sessionName: fields.sessionName,
    duration: fields.duration ? String(fields.duration) : undefined,
    policy: fields.policy,
    externalId: fields.externalId
  }))
  switch (kind) {
    case "keys":
      return yield* keys(fields.securityToken)
    case "token":
      return yield* keys(yield* need("securityToken"))
    case "role":
      return {
        _tag: "AssumeRole",
        role: yield* role,
        region,
        base:
          fields.sourceProfile === undefined
            ? yield* keys(fields.securityToken)
            : yield* other(fields.sourceProfile)
      }
    case "roleOfInstance":
      return { _tag: "AssumeRole", role: yield* role, region, base: { _tag: "Instance", roleName } }
    case "roleOfProfile":
      return {
        _tag: "AssumeRole",
        role: yield* role,
        region,
        base: yield* other(yield* need("sourceProfile"))
      }
    case "instance":
      return { _tag: "Instance", roleName }
    case "oidc": {
      const providerArn = yield* need("providerArn")
      const tokenFile = yield* need("tokenFile")
      return { _tag: "Oidc", role: yield* role, region, providerArn, tokenFile }
    }
    case "external":
      return { _tag: "External", command: yield* need("command") }
    case "uri":
      return { _tag: "Uri", uri: yield* need("uri") }
  }
})
