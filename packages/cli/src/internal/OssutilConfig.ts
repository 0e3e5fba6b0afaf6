/**
 * The configuration file of ossutil, in so far as it says where a bucket is and
 * with which keys.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { UsageError } from "./CliFailure.ts"

/** What the file says. */
export interface OssutilConfig {
  readonly region: string | undefined
  readonly endpoint: string | undefined
  readonly credentials: {
    readonly accessKeyId: string
    readonly accessKeySecret: Redacted.Redacted
    readonly securityToken: Redacted.Redacted | undefined
  }
}

/** The sections that ossutil 1 and ossutil 2 read first. */
const sections: ReadonlySet<string> = new Set(["", "credentials", "default", "profile default"])

/**
 * Reads the text of a configuration file of ossutil 1 or 2: the section
 * `Credentials` or `default`. `file` is for messages, which show no value.
 */
export const parse = (file: string, text: string): Result.Result<OssutilConfig, UsageError> => {
  const values = valuesIn(text)
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
    region: values.get("region"),
    endpoint: values.get("endpoint"),
    credentials: {
      accessKeyId,
      accessKeySecret: Redacted.make(accessKeySecret),
      securityToken: token === undefined ? undefined : Redacted.make(token)
    }
  })
}

/** Names in lower case, without what may stand between their words; what is set to nothing is not set. */
const valuesIn = (text: string): ReadonlyMap<string, string> => {
  const values = new Map<string, string>()
  let section = ""
  for (const line of text.split(/\r?\n/)) {
    const [, title] = /^\s*\[([^\]]*)\]\s*$/.exec(line) ?? []
    if (title !== undefined) section = title.trim().replaceAll(/\s+/g, " ").toLowerCase()
    const [, name = "", value = ""] = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (sections.has(section) && value !== "") values.set(plain(name), value)
  }
  return values
}

/** ossutil 2 takes `accessKeyId`, `access-key-id` and `access_key_id` for the same. */
const plain = (name: string) => name.replaceAll(/[-_]/g, "").toLowerCase()
