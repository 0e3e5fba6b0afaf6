/**
 * The rules by which OSS refuses requests of any kind. Both interfaces of the
 * emulator use them, so that they refuse the same requests.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Operation } from "../../Fault.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { invalid } from "./errors.ts"

/** Names in lower case. */
export type Headers = Readonly<Record<string, string | undefined>>

type Checked<A = void> = Result.Result<A, Refusal>

type Parameter = (name: string) => string | undefined

const done = Result.succeed(undefined)

/** Checks the rules for requests of all kinds. `parameter` reads one of the query. */
export const checkRequest = (
  operation: Operation,
  headers: Headers,
  parameter: Parameter
): Checked =>
  Result.gen(function* () {
    if (throttled.has(operation)) {
      const limit = headers["x-oss-traffic-limit"] ?? parameter("x-oss-traffic-limit")
      yield* checkTrafficLimit(operation, limit)
    }
    yield* checkAcl("x-oss-acl", headers["x-oss-acl"], bucketAcls)
    yield* checkAcl("x-oss-object-acl", headers["x-oss-object-acl"], objectAcls)
    yield* checkStorageClass(headers["x-oss-storage-class"])
    yield* checkEncryption(headers["x-oss-server-side-encryption"])
  })

/** OSS: the requests that `x-oss-traffic-limit` applies to. On others it has no effect. */
const throttled: ReadonlySet<Operation> = new Set([
  "append",
  "copy",
  "get",
  "postObject",
  "put",
  "uploadPart",
  "uploadPartCopy"
])

/**
 * In bits a second: 100 KB/s to 100 MB/s. A part may be slower: ali-oss's own
 * upload tests, which run against OSS, send 645,763 with one.
 */
const checkTrafficLimit = (operation: Operation, text: string | undefined): Checked => {
  if (text === undefined) return done
  const least = operation === "uploadPart" ? 1 : 819_200
  return /^\d{1,12}$/.test(text) && Number(text) >= least && Number(text) <= 838_860_800
    ? done
    : Result.fail(
        invalid(
          "x-oss-traffic-limit",
          text,
          "The bandwidth limit must be a number from 819200 to 838860800.",
          "0004-00000502"
        )
      )
}

const bucketAcls = ["private", "public-read", "public-read-write"]
const objectAcls = ["default", ...bucketAcls]

const checkAcl = (
  name: string,
  value: string | undefined,
  allowed: ReadonlyArray<string>
): Checked =>
  value === undefined || allowed.includes(value)
    ? done
    : Result.fail(invalid(name, value, "no such bucket access control exists"))

const storageClasses: ReadonlySet<string> = new Set([
  "Standard",
  "IA",
  "Archive",
  "ColdArchive",
  "DeepColdArchive"
])

const checkStorageClass = (value: string | undefined): Checked =>
  value === undefined || storageClasses.has(value)
    ? done
    : Result.fail(
        invalid("x-oss-storage-class", value, "The storage class you specified is invalid.")
      )

const encryptions: ReadonlySet<string> = new Set(["AES256", "KMS", "SM4"])

const checkEncryption = (value: string | undefined): Checked =>
  value === undefined || encryptions.has(value)
    ? done
    : Result.fail(
        invalid(
          "x-oss-server-side-encryption",
          value,
          "The encryption request you specified is not valid. Supported value: AES256/KMS/SM4."
        )
      )

/** True: an existing object stays. OSS takes `true` and `false` in any case. */
export const forbidsOverwrite = (headers: Headers): Checked<boolean> => {
  const text = headers["x-oss-forbid-overwrite"]
  if (text === undefined) return Result.succeed(false)
  return /^(true|false)$/i.test(text)
    ? Result.succeed(text.toLowerCase() === "true")
    : Result.fail(
        invalid(
          "x-oss-forbid-overwrite",
          text,
          "The x-oss-forbid-overwrite header must be true or false."
        )
      )
}

/** The callback that OSS posts after an object is stored. */
export interface Callback {
  /** At most five. If one fails, OSS tries the next. */
  readonly urls: ReadonlyArray<string>
  readonly host: string | undefined
  readonly body: string
  readonly type: "application/x-www-form-urlencoded" | "application/json"
  /** The names include `x:`. */
  readonly variables: Readonly<Record<string, string>>
}

const CallbackDocument = Schema.fromJsonString(
  Schema.Struct({
    callbackUrl: Schema.NonEmptyString,
    callbackHost: Schema.optionalKey(Schema.String),
    callbackBody: Schema.NonEmptyString,
    callbackBodyType: Schema.optionalKey(
      Schema.Literals(["application/x-www-form-urlencoded", "application/json"])
    )
  })
)

const Variables = Schema.fromJsonString(Schema.Record(Schema.String, Schema.String))

const decodeCallback = Schema.decodeUnknownOption(CallbackDocument)
const decodeVariables = Schema.decodeUnknownOption(Variables)

/** The callback of a request, if it has one: base64 of JSON, in a header or in the query. */
export const callbackOf = (headers: Headers, parameter: Parameter): Checked<Callback | undefined> =>
  Result.gen(function* () {
    const text = headers["x-oss-callback"] ?? parameter("callback")
    if (text === undefined) return undefined
    const given = yield* decoded("callback", text, decodeCallback)
    const vars = headers["x-oss-callback-var"] ?? parameter("callback-var")
    const variables =
      vars === undefined ? {} : yield* decoded("callback-var", vars, decodeVariables)
    const urls = given.callbackUrl.split(";").filter((url) => url !== "")
    const bad = Object.keys(variables).some((name) => !name.startsWith("x:"))
    if (bad || urls.length === 0 || urls.length > 5) {
      return yield* Result.fail(notACallback("callback", text, "3"))
    }
    return {
      urls,
      host: given.callbackHost,
      body: given.callbackBody,
      type: given.callbackBodyType ?? "application/x-www-form-urlencoded",
      variables
    }
  })

const base64 = /^[A-Za-z0-9+/]+={0,2}$/

const decoded = <A>(
  name: "callback" | "callback-var",
  text: string,
  decode: (json: unknown) => Option.Option<A>
): Checked<A> => {
  if (!base64.test(text)) return Result.fail(notACallback(name, text, "2"))
  return Result.fromOption(decode(Buffer.from(text, "base64").toString()), () =>
    notACallback(name, text, "3")
  )
}

const notACallback = (name: "callback" | "callback-var", text: string, flaw: "2" | "3"): Refusal =>
  flaw === "2"
    ? invalid(
        name,
        text,
        `The ${name} is not base64.`,
        `0007-00000${name === "callback" ? "0" : "1"}02`
      )
    : invalid(
        name,
        text,
        `The ${name} configuration is not json format.`,
        `0007-00000${name === "callback" ? "0" : "1"}03`
      )
