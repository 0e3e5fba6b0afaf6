/** Reads the endpoint and the keys of a configuration file of ossutil. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { UsageError } from "./CliFailure.ts"

/** The settings of the file. */
export interface OssutilConfig {
  readonly region: string | undefined
  readonly endpoint: string | undefined
  /** True: the endpoint is a custom domain bound to the bucket. */
  readonly cname: boolean | undefined
  /** The keys. Undefined if the mode names a service that gives them. */
  readonly credentials:
    | {
        readonly accessKeyId: string
        readonly accessKeySecret: Redacted.Redacted
        readonly securityToken: Redacted.Redacted | undefined
      }
    | undefined
}

/** Which settings to read. */
interface Wanted {
  readonly bucket: string
  /** The profile, in ossutil 2. Default: the section `Credentials` or `default`. */
  readonly profile?: string | undefined
}

type Values = ReadonlyMap<string, string>

/** The sections that ossutil 1 and 2 read first. */
const first = ["", "credentials", "default", "profile default"]

/**
 * Reads the text of a configuration file of ossutil 1 or 2. `file` is its name
 * for messages, which show no values.
 */
export const parse = (
  file: string,
  text: string,
  { bucket, profile }: Wanted
): Result.Result<OssutilConfig, UsageError> => {
  const sections = sectionsIn(text)
  const isDefault = profile === undefined || profile === "default"
  const titles = isDefault ? first : [`profile ${profile.toLowerCase()}`]
  if (!titles.some((title) => sections.has(title))) return noProfile(file, profile ?? "default")
  const values = new Map(titles.flatMap((title) => Array.from(sections.get(title) ?? [])))
  const credentials = hasService(values, isDefault ? sections.get("akservice") : undefined)
    ? Result.succeed(undefined)
    : keysIn(file, values)
  const ofBucket = sections.get(`buckets ${bucket}`)
  const cname = sections.get("bucket-cname")?.get(bucket)
  const endpoint =
    cname ?? sections.get("bucket-endpoint")?.get(bucket) ?? ofBucket?.get("endpoint")
  return Result.map(credentials, (credentials) => ({
    region: ofBucket?.get("region") ?? values.get("region"),
    endpoint: endpoint ?? values.get("endpoint"),
    cname: cname === undefined ? undefined : true,
    credentials
  }))
}

/** Whether a service gives the keys. Otherwise they are in the file. */
const hasService = (values: Values, ofInstance: Values | undefined): boolean =>
  ofInstance?.has("ecsak") === true ||
  !["ak", "ststoken"].includes((values.get("mode") ?? "AK").toLowerCase())

const noProfile = (file: string, profile: string) =>
  Result.fail(
    new UsageError({
      problem: `${file} has no profile ${profile}`,
      remedy: "give one that it has by --profile NAME"
    })
  )

const keysIn = (
  file: string,
  values: Values
): Result.Result<OssutilConfig["credentials"], UsageError> => {
  const accessKeyId = values.get("accesskeyid")
  const accessKeySecret = values.get("accesskeysecret")
  if (accessKeyId === undefined || accessKeySecret === undefined) {
    return Result.fail(
      new UsageError({
        problem: `${file} has no accessKeyID and accessKeySecret`,
        remedy:
          'give the file that "ossutil config" writes, or set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET'
      })
    )
  }
  const token = values.get("ststoken")
  return Result.succeed({
    accessKeyId,
    accessKeySecret: Redacted.make(accessKeySecret),
    securityToken: token === undefined ? undefined : Redacted.make(token)
  })
}

/**
 * Parses sections. Titles and names become lower case, and separators in names
 * are dropped. An empty value counts as not set.
 */
const sectionsIn = (text: string): ReadonlyMap<string, Values> => {
  const sections = new Map<string, Map<string, string>>()
  let section = ""
  for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const [, title] = /^\s*\[([^\]]*)\]\s*$/.exec(line) ?? []
    if (title !== undefined) section = title.trim().replaceAll(/\s+/g, " ").toLowerCase()
    const values = sections.get(section) ?? new Map<string, string>()
    sections.set(section, values)
    const [, name = "", value = ""] = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (value !== "") values.set(section.startsWith("bucket-") ? name : plain(name), value)
  }
  return sections
}

/** ossutil 2 takes `accessKeyId`, `access-key-id` and `access_key_id` for the same. */
const plain = (name: string) => name.replaceAll(/[-_]/g, "").toLowerCase()
