/** The methods that Alibaba's files and variables name for getting credentials. */
import * as TextFile from "@effect-oss/core/internal/textFile"
import type * as OssCredentials from "@effect-oss/core/OssCredentials"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { ask, keysOfAnswer } from "./ask.ts"
import { type CredentialsError, invalid } from "./error.ts"
import * as External from "./external.ts"
import * as Metadata from "./metadata.ts"
import type { Options } from "../../NodeOssCredentials.ts"
import * as Sts from "./sts.ts"
import { flag, variable } from "./variables.ts"

export type Method =
  | { readonly _tag: "Keys"; readonly credentials: OssCredentials.Credentials }
  | {
      readonly _tag: "AssumeRole"
      readonly role: Sts.Role
      readonly region?: string | undefined
      /** The method for the credentials that sign the request to STS. */
      readonly base: Method
    }
  | { readonly _tag: "Instance"; readonly roleName: string | undefined }
  | {
      readonly _tag: "Oidc"
      readonly role: Sts.Role
      readonly region?: string | undefined
      readonly providerArn: string
      readonly tokenFile: string
    }
  | { readonly _tag: "External"; readonly command: string }
  | { readonly _tag: "Uri"; readonly uri: string }

export type Services = FileSystem.FileSystem | HttpClient.HttpClient | ChildProcessSpawner

/** The time limit for a credentials URI, in milliseconds. */
const patience = 10_000

/** `source` is for messages. */
export const obtain = Effect.fnUntraced(function* (
  source: string,
  method: Method,
  options: Options
): Effect.fn.Return<OssCredentials.Credentials, CredentialsError, Services> {
  switch (method._tag) {
    case "Keys":
      return method.credentials
    case "AssumeRole": {
      const base = yield* obtain(source, method.base, options)
      return yield* Sts.assumeRole(yield* stsOf(method.region, options), method.role, base)
    }
    case "Instance":
      return yield* Metadata.ofInstance(options.metadata ?? Metadata.standard, method.roleName)
    case "Oidc": {
      const token = yield* tokenIn(source, method.tokenFile)
      const sts = yield* stsOf(method.region, options)
      return yield* Sts.assumeRoleWithOidc(sts, method.role, method.providerArn, token)
    }
    case "External":
      return yield* External.run(source, method.command)
    case "Uri": {
      const answer = yield* ask(source, HttpClientRequest.get(method.uri), patience)
      return yield* keysOfAnswer(source, answer)
    }
  }
})

const stsOf = Effect.fnUntraced(function* (region: string | undefined, { sts }: Options) {
  return yield* Sts.endpointOf(
    sts,
    region ?? (yield* variable("ALIBABA_CLOUD_STS_REGION")),
    yield* flag("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED")
  )
})

/** Reads the token each time, because the cluster replaces it. */
const tokenIn = Effect.fnUntraced(function* (source: string, path: string) {
  const token = yield* Effect.mapError(TextFile.read(path), ({ problem }) =>
    invalid(source, problem, `the OIDC token file ${path}`)
  )
  if (token.trim() === "") return yield* invalid(source, "is empty", `the OIDC token file ${path}`)
  return token.trim()
})
