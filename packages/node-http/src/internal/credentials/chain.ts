/** The order in which sources of credentials are tried. */
import type * as OssCredentials from "@effect-oss/core/OssCredentials"
import * as Effect from "effect/Effect"
import type * as Path from "effect/Path"
import * as Environment from "./environment.ts"
import { CredentialsError, CredentialsNotFound } from "../../CredentialsError.ts"
import { Absent } from "./error.ts"
import * as Files from "./files.ts"
import { type Method, obtain, type Services } from "./method.ts"
import type { Options } from "../../NodeOssCredentials.ts"
import { flag, variable } from "./variables.ts"

/** Asks one source. `known` is true if the source gave credentials before. */
type Source = (
  options: Options,
  known: boolean
) => Effect.Effect<OssCredentials.Credentials, Absent | CredentialsError, Services | Path.Path>

const through =
  (
    find: (
      options: Options
    ) => Effect.Effect<
      { readonly source: string; readonly method: Method },
      Absent | CredentialsError,
      Services | Path.Path
    >
  ): Source =>
  (options) =>
    Effect.flatMap(find(options), ({ source, method }) => obtain(source, method, options))

/** Machines other than ECS instances get no response from this address. */
const instance: Source = Effect.fnUntraced(function* (options, known) {
  if (yield* flag("ALIBABA_CLOUD_ECS_METADATA_DISABLED")) {
    return yield* new Absent({ why: "ALIBABA_CLOUD_ECS_METADATA_DISABLED is set" })
  }
  const roleName = yield* variable("ALIBABA_CLOUD_ECS_METADATA")
  const isExpected = known || roleName !== undefined
  return yield* Effect.mapError(
    obtain("the metadata service", { _tag: "Instance", roleName }, options),
    (error) =>
      isExpected || error.reason._tag === "CredentialsInvalid"
        ? error
        : new Absent({ why: error.message })
  )
})

const files: ReadonlyArray<Source> = [
  through(({ profile }) => Files.find(Files.aliyun, { profile })),
  through(({ profile }) => Files.find(Files.alibabaCloud, { profile })),
  through(({ profile }) => Files.find(Files.ossutil, { profile }))
]

/** The order of Alibaba's SDKs, with OSS's own variables first, and ossutil's file last of the files. */
const all: ReadonlyArray<Source> = [
  through(() => Environment.oss),
  through(() => Environment.alibabaCloud),
  through(() => Environment.oidc),
  ...files,
  through(() => Environment.uri),
  instance
]

/** Asks the source that had credentials for new ones first, and the others only if it has none. */
export const make = (
  options: Options
): Effect.Effect<OssCredentials.Credentials, CredentialsError, Services | Path.Path> => {
  const sources = options.profile === undefined ? all : files
  let last: Source | undefined
  const ask = (source: Source) =>
    Effect.tap(source(options, source === last), () => {
      last = source
      return Effect.void
    })
  return Effect.gen(function* () {
    const tried: Array<string> = []
    const order =
      last === undefined ? sources : [last, ...sources.filter((source) => source !== last)]
    for (const source of order) {
      const found = yield* Effect.catchTag(ask(source), "Absent", ({ why }) => Effect.succeed(why))
      if (typeof found !== "string") return found
      if (!tried.includes(found)) tried.push(found)
    }
    return yield* new CredentialsError({ reason: new CredentialsNotFound({ tried }) })
  })
}

/** The credentials of one of ossutil's files. */
export const ossutil = (
  options: Options & { readonly file?: string | undefined }
): Effect.Effect<OssCredentials.Credentials, CredentialsError, Services | Path.Path> =>
  Files.find(Files.ossutil, { path: options.file, profile: options.profile }).pipe(
    Effect.flatMap(({ source, method }) => obtain(source, method, options)),
    Effect.catchTag("Absent", ({ why }) =>
      Effect.fail(new CredentialsError({ reason: new CredentialsNotFound({ tried: [why] }) }))
    )
  )
