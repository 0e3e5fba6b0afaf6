/** The files of Alibaba's tools: their places, their formats, and the choice of the profile. */
import * as TextFile from "@effect-oss/core/internal/textFile"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { clip, decode, parse } from "./ask.ts"
import { Absent, type CredentialsError, invalid } from "./error.ts"
import * as Ini from "./ini.ts"
import type { Method } from "./method.ts"
import { type Format, methodOf } from "./profile.ts"
import { variable } from "./variables.ts"

type Finding = Effect.Effect<
  { readonly source: string; readonly method: Method },
  Absent | CredentialsError,
  FileSystem.FileSystem | Path.Path
>

/** The profiles of one text, by name. */
interface Profiles {
  /** The profile to use if you name none. */
  readonly current: string
  readonly named: (name: string) => Readonly<Record<string, unknown>> | undefined
}

interface File {
  /** The variable that names another file. */
  readonly variable: string
  /** The default path, below the home directory. */
  readonly usual: ReadonlyArray<string>
  readonly format: Format
  readonly read: (path: string, text: string) => Effect.Effect<Profiles, Absent | CredentialsError>
}

/** `~/.aliyun/config.json`, which `aliyun configure` writes. */
export const aliyun: File = {
  variable: "ALIBABA_CLOUD_CONFIG_FILE",
  usual: [".aliyun", "config.json"],
  format: {
    names: {
      mode: "mode",
      accessKeyId: "access_key_id",
      accessKeySecret: "access_key_secret",
      securityToken: "sts_token",
      roleArn: "ram_role_arn",
      sessionName: "ram_session_name",
      duration: "expired_seconds",
      policy: "policy",
      externalId: "external_id",
      region: "sts_region",
      roleName: "ram_role_name",
      providerArn: "oidc_provider_arn",
      tokenFile: "oidc_token_file",
      command: "process_command",
      uri: "credentials_uri",
      sourceProfile: "source_profile"
    },
    modes: {
      ak: "keys",
      ststoken: "token",
      ramrolearn: "role",
      ramrolearnwithrolename: "roleOfInstance",
      chainableramrolearn: "roleOfProfile",
      ecsramrole: "instance",
      oidc: "oidc",
      external: "external",
      credentialsuri: "uri"
    }
  },
  read: Effect.fnUntraced(function* (path, text) {
    const { current, profiles } = yield* decode(path, Config, yield* parse(path, text))
    return {
      current: current || "default",
      named: (name) => profiles.find((profile) => profile["name"] === name)
    }
  })
}

const Config = Schema.Struct({
  current: Schema.optionalKey(Schema.String),
  profiles: Schema.Array(Schema.Record(Schema.String, Schema.Unknown))
})

/** `~/.alibabacloud/credentials`, which Alibaba's SDKs share. */
export const alibabaCloud: File = {
  variable: "ALIBABA_CLOUD_CREDENTIALS_FILE",
  usual: [".alibabacloud", "credentials"],
  format: {
    names: {
      mode: "type",
      accessKeyId: "access_key_id",
      accessKeySecret: "access_key_secret",
      securityToken: "security_token",
      roleArn: "role_arn",
      sessionName: "role_session_name",
      duration: "duration_seconds",
      policy: "policy",
      externalId: "external_id",
      region: "sts_region",
      roleName: "role_name",
      providerArn: "oidc_provider_arn",
      tokenFile: "oidc_token_file_path",
      uri: "credentials_uri"
    },
    modes: {
      ak: "keys",
      access_key: "keys",
      sts: "token",
      ram_role_arn: "role",
      ecs_ram_role: "instance",
      oidc_role_arn: "oidc",
      credentials_uri: "uri"
    }
  },
  read: (_, text) => {
    const sections = Ini.parse(text)
    return Effect.succeed({
      current: "default",
      named: (name) => {
        const values = sections.get(name)
        return values?.get("enable")?.toLowerCase() === "false" ? undefined : recordOf(values)
      }
    })
  }
}

/** `~/.ossutilconfig`, of ossutil 1 or 2. */
export const ossutil: File = {
  variable: "OSSUTIL_CONFIG_FILE",
  usual: [".ossutilconfig"],
  format: {
    names: {
      mode: "mode",
      accessKeyId: "accesskeyid",
      accessKeySecret: "accesskeysecret",
      securityToken: "ststoken",
      roleArn: "ramrolearn",
      sessionName: "rolesessionname",
      duration: "tokentimeout",
      externalId: "externalid",
      region: "stsregion",
      roleName: "ecsrolename",
      providerArn: "oidcproviderarn",
      tokenFile: "oidctokenfile",
      command: "credentialprocess",
      uri: "credentialsuri",
      sourceProfile: "sourceprofile"
    },
    modes: {
      ak: "keys",
      ststoken: "token",
      ramrolearn: "role",
      ecsramrole: "instance",
      oidc: "oidc",
      process: "external",
      credentialsuri: "uri"
    }
  },
  read: (_, text) => {
    const sections = [...Ini.parse(text)].map(
      ([title, values]) => [title.toLowerCase(), plain(recordOf(values) ?? {})] as const
    )
    const merged = (...titles: ReadonlyArray<string>) => {
      const found = sections.filter(([title]) => titles.includes(title))
      return found.length === 0 ? undefined : Object.assign({}, ...found.map(([, own]) => own))
    }
    const instance = merged("akservice")?.["ecsak"]
    return Effect.succeed({
      current: "default",
      named: (name) =>
        name === "default"
          ? instance === undefined
            ? merged("", "credentials", "default", "profile default")
            : { mode: "EcsRamRole", ecsrolename: roleIn(instance) }
          : merged(`profile ${name.toLowerCase()}`)
    })
  }
}

const recordOf = (values: ReadonlyMap<string, string> | undefined) =>
  values && Object.fromEntries(values)

/** ossutil accepts `accessKeyId`, `access-key-id` and `access_key_id` as the same name, and two names for a role. */
const plain = (values: Readonly<Record<string, string>>): Record<string, string> => {
  const own = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name.replaceAll(/[-_]/g, ""), value])
  )
  return own["rolearn"] === undefined ? own : { ramrolearn: own["rolearn"], ...own }
}

/** ossutil 1 has the full address of the role. */
const roleIn = (address: string): string | undefined =>
  address.split("/").findLast((part) => part !== "")

/** `path` replaces the default path; `profile` replaces the file's own choice. */
export const find = (
  file: File,
  given: { readonly path?: string | undefined; readonly profile?: string | undefined }
): Finding =>
  Effect.gen(function* () {
    const named = given.path ?? (yield* variable(file.variable))
    const path = named ?? (yield* usual(file))
    const { current, named: profileOf } = yield* file.read(
      path,
      yield* read(path, named !== undefined)
    )
    const wanted = given.profile ?? (yield* variable("ALIBABA_CLOUD_PROFILE")) ?? current
    const method = (
      name: string,
      through: ReadonlyArray<string>
    ): Effect.Effect<Method, Absent | CredentialsError> => {
      const source = `${path}, profile ${clip(name)}`
      const values = profileOf(name)
      if (values === undefined) {
        return Effect.fail(new Absent({ why: `${path} has no profile ${clip(name)}` }))
      }
      if (through.includes(name)) {
        return Effect.fail(invalid(source, "leads back to itself", file.format.names.sourceProfile))
      }
      return methodOf(file.format, {
        source,
        values,
        other: (next) => method(next, [...through, name])
      }).pipe(
        Effect.catchTag(
          "Absent",
          ({ why }) => new Absent({ why: why.startsWith(path) ? why : `${source}: ${why}` })
        )
      )
    }
    return { source: `${path}, profile ${clip(wanted)}`, method: yield* method(wanted, []) }
  })

const usual = Effect.fnUntraced(function* (file: File) {
  const path = yield* Path.Path
  const home = (yield* variable("HOME")) ?? (yield* variable("USERPROFILE"))
  if (home !== undefined) return path.join(home, ...file.usual)
  return yield* new Absent({ why: `HOME is not set, so there is no ~/${file.usual.join("/")}` })
})

/** A file that you name must exist. */
const read = (path: string, isNamed: boolean) =>
  Effect.mapError(TextFile.read(path), ({ why, problem }) =>
    isNamed || why === "Other" ? invalid(path, problem) : new Absent({ why: `${path} ${problem}` })
  )
