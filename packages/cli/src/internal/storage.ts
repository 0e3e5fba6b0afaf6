/** The flags of `upload` for storing objects. */
import type { ObjectOptions } from "@effect-oss/core/ObjectOptions"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { UsageError } from "./CliFailure.ts"

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar(metavar),
    Flag.optional
  )

const pairs = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(`${description}; may be repeated`),
    Flag.withMetavar(metavar),
    Flag.atLeast(0)
  )

export const flags = {
  contentType: text(
    "content-type",
    "TYPE",
    "The Content-Type. Default: by the extension of the key, else application/octet-stream"
  ),
  cacheControl: text("cache-control", "TEXT", "The Cache-Control, such as max-age=3600"),
  contentDisposition: text("content-disposition", "TEXT", "Such as attachment"),
  contentEncoding: text("content-encoding", "TEXT", "Such as gzip, if the file is packed already"),
  meta: pairs("meta", "NAME=VALUE", "Metadata of your own, as x-oss-meta-NAME"),
  acl: Flag.Literals("acl", ["default", "private", "public-read", "public-read-write"]).pipe(
    Flag.withDescription("Who may read and write the object. Default: as the bucket says"),
    Flag.optional
  ),
  storageClass: Flag.Literals("storage-class", [
    "Standard",
    "IA",
    "Archive",
    "ColdArchive",
    "DeepColdArchive"
  ]).pipe(Flag.withDescription("Default: as the bucket says"), Flag.optional),
  tag: pairs("tag", "NAME=VALUE", "A tag of the object"),
  sse: Flag.Literals("sse", ["AES256", "KMS", "SM4"]).pipe(
    Flag.withDescription("Encrypt the object on the server. Default: as the bucket says"),
    Flag.optional
  ),
  sseKeyId: text("sse-key-id", "ID", "The key at KMS; needs --sse KMS"),
  forbidOverwrite: Flag.Boolean("forbid-overwrite").pipe(
    Flag.withDescription("Fail rather than replace an object"),
    Flag.withoutNegation,
    Flag.withDefault(false)
  ),
  header: pairs("header", "'NAME: VALUE'", "A further header that OSS stores or reads")
}

/** The flags as the user typed them. */
export interface Input {
  readonly contentType: Option.Option<string>
  readonly cacheControl: Option.Option<string>
  readonly contentDisposition: Option.Option<string>
  readonly contentEncoding: Option.Option<string>
  readonly meta: ReadonlyArray<string>
  readonly acl: Option.Option<NonNullable<ObjectOptions["acl"]>>
  readonly storageClass: Option.Option<NonNullable<ObjectOptions["storageClass"]>>
  readonly tag: ReadonlyArray<string>
  readonly sse: Option.Option<NonNullable<ObjectOptions["serverSideEncryption"]>["algorithm"]>
  readonly sseKeyId: Option.Option<string>
  readonly forbidOverwrite: boolean
  readonly header: ReadonlyArray<string>
}

type Fields = Readonly<Record<string, string>>
type Read<A> = Result.Result<A, UsageError>

/** Converts the flags to options of core. */
export const optionsOf = (input: Input): Read<ObjectOptions> =>
  Result.gen(function* () {
    const headers = yield* headersOf(input)
    const meta = yield* fieldsOf("--meta", "=", input.meta)
    const tagging = yield* fieldsOf("--tag", "=", input.tag)
    if (Object.keys(tagging).length > maxTags) yield* tooManyTags(Object.keys(tagging).length)
    const serverSideEncryption = yield* encryptionOf(input)
    return {
      mime: Option.getOrUndefined(input.contentType),
      headers: unlessEmpty(headers),
      meta: unlessEmpty(meta),
      acl: Option.getOrUndefined(input.acl),
      storageClass: Option.getOrUndefined(input.storageClass),
      tagging: unlessEmpty(tagging),
      serverSideEncryption,
      forbidOverwrite: input.forbidOverwrite ? true : undefined
    }
  })

const unlessEmpty = (fields: Fields) => (Object.keys(fields).length === 0 ? undefined : fields)

/** The largest number of tags that OSS accepts for an object. */
const maxTags = 10

const tooManyTags = (count: number) =>
  Result.fail(
    new UsageError({
      problem: `--tag: ${count} tags are not possible`,
      remedy: `give at most ${maxTags}, as OSS takes no more of an object`
    })
  )

/** The headers of flags and those of `--header`. */
const headersOf = (input: Input): Read<Fields> =>
  Result.map(fieldsOf("--header", ":", input.header), (given) => ({
    ...given,
    ...Object.fromEntries(
      Object.entries({
        "cache-control": input.cacheControl,
        "content-disposition": input.contentDisposition,
        "content-encoding": input.contentEncoding
      }).flatMap(([name, value]) => (Option.isSome(value) ? [[name, value.value] as const] : []))
    )
  }))

const encryptionOf = ({
  sse,
  sseKeyId
}: Input): Read<NonNullable<ObjectOptions["serverSideEncryption"]> | undefined> => {
  const keyId = Option.getOrUndefined(sseKeyId)
  if (keyId !== undefined && !Option.contains(sse, "KMS")) {
    return Result.fail(
      new UsageError({
        problem: "--sse-key-id: only KMS has keys of yours",
        remedy: "give --sse KMS too"
      })
    )
  }
  return Result.succeed(Option.isNone(sse) ? undefined : { algorithm: sse.value, keyId })
}

/**
 * Reads `NAME=VALUE` or `NAME: VALUE`. Each name may appear once. The case of
 * header names doesn't matter.
 */
const fieldsOf = (
  flag: string,
  separator: "=" | ":",
  texts: ReadonlyArray<string>
): Read<Fields> => {
  const form = separator === "=" ? "NAME=VALUE" : "'NAME: VALUE'"
  const fields: Record<string, string> = {}
  for (const given of texts) {
    const at = given.indexOf(separator)
    const name = given.slice(0, Math.max(at, 0)).trim()
    const wrong = (problem: string) =>
      Result.fail(new UsageError({ problem: `${flag}: ${problem}`, remedy: `give ${form}` }))
    if (name === "") return wrong(`"${given}" has no name`)
    const known = flag === "--tag" ? name : name.toLowerCase()
    if (flag !== "--tag" && !/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) {
      return wrong(`"${name}" can't be the name of a header`)
    }
    if (Object.hasOwn(fields, known)) return wrong(`"${name}" is given twice`)
    fields[known] = given.slice(at + 1).trim()
  }
  return Result.succeed(fields)
}
