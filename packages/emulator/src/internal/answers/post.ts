/**
 * PostObject: uploads from a browser's form. A policy, signed with version 1 or
 * 4, limits what may be uploaded.
 */
import { createHmac } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { timeOf } from "../signature/claim.ts"
import { checkScope } from "../signature/claimV4.ts"
import type { Credential } from "../../OssEmulator.ts"
import { checkToken } from "../signature/verify.ts"
import { algorithm, keyOf } from "../signature/v4.ts"
import { base64Of } from "../verbs.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { invalid, refuse } from "../wire/errors.ts"
import { type Form, parseForm } from "../wire/form.ts"
import { storedHeaders } from "../wire/objectHeaders.ts"
import { posted } from "../wire/objectMessages.ts"
import { callbackOf, checkRequest, forbidsOverwrite } from "../wire/requestRules.ts"
import {
  type Answer,
  documented,
  type Located,
  type Reply,
  reply,
  versionHeaders
} from "./asked.ts"
import { afterCallback, factsOf } from "./callback.ts"
import { checkPolicy } from "./policy.ts"

export const postObject: Answer = documented(
  Effect.fnUntraced(function* (asked, body) {
    const { verbs, attempt, bucket, head } = asked
    const form = yield* Effect.fromResult(parseForm(head.headers["content-type"] ?? "", body))
    const fields: Form["fields"] = { ...form.fields, bucket }
    yield* admit(asked, form, yield* attempt.now)
    const given = form.fields["key"]
    if (given === undefined || given === "")
      return yield* refuse("InvalidArgument", "key is missing.")
    const key = given.replaceAll("${filename}", form.filename)
    const parameter = (name: string) => fields[name]
    yield* Effect.fromResult(checkRequest("postObject", form.fields, parameter))
    const callback = yield* Effect.fromResult(callbackOf(form.fields, parameter))
    const headers = storedHeaders({
      ...(form.contentType !== undefined && { "content-type": form.contentType }),
      ...form.fields
    })
    const forbidOverwrite = yield* Effect.fromResult(forbidsOverwrite(form.fields))
    const stored = yield* verbs.put(
      attempt,
      { bucket, key },
      { headers, forbidOverwrite },
      { pieces: Stream.make(form.file) }
    )
    const { etag, crc64, md5, object } = stored
    const answer = answerOf(form, {
      bucket,
      key,
      etag,
      host: head.headers["host"] ?? "localhost"
    })
    return yield* afterCallback(asked, callback, factsOf({ ...asked, key }, object), {
      ...answer,
      crc64,
      headers: {
        etag,
        "content-md5": base64Of(md5),
        ...versionHeaders(stored),
        ...answer.headers
      }
    })
  })
)

/** 204, unless the form asks for a redirection, for 200 or for 201 with a document. */
const answerOf = (
  { fields }: Form,
  stored: {
    readonly bucket: string
    readonly key: string
    readonly etag: string
    readonly host: string
  }
): Reply => {
  const redirect = fields["success_action_redirect"]
  if (redirect !== undefined && redirect !== "") {
    return reply({ status: 303, headers: { location: redirect } })
  }
  switch (fields["success_action_status"]) {
    case "200":
      return reply({ status: 200 })
    case "201":
      return reply({
        status: 201,
        body: posted({ ...stored, location: `http://${stored.host}/${stored.key}` })
      })
    default:
      return reply({ status: 204 })
  }
}

/** Without credentials, every form is admitted. With credentials, the signer of the policy must be known. */
const admit = ({ credentials, bucket, route }: Located, form: Form, now: number) =>
  Effect.fromResult(
    Result.gen(function* () {
      const { fields, file } = form
      if (credentials.length === 0 && fields["policy"] === undefined) return
      const policy = fields["policy"]
      if (policy === undefined) {
        return yield* Result.fail(
          refuse("AccessDenied", "You have no right to access this object because of bucket acl.", {
            EC: "0003-00000001"
          })
        )
      }
      if (credentials.length > 0) {
        const signer = yield* signerOf(fields, policy, credentials, route.region)
        yield* checkToken(signer, fields["x-oss-security-token"] ?? fields["security-token"], now)
      }
      yield* checkPolicy(policy, { fields: { ...fields, bucket }, size: file.length, now })
    })
  )

const signerOf = (
  fields: Form["fields"],
  policy: string,
  credentials: ReadonlyArray<Credential>,
  region: string | undefined
): Result.Result<Credential, Refusal> =>
  Result.gen(function* () {
    const isV4 = fields["x-oss-signature-version"] === algorithm
    const credential = fields["x-oss-credential"] ?? ""
    const [id = "", ...scope] = isV4 ? credential.split("/") : [fields["ossaccesskeyid"] ?? ""]
    const known = credentials.find(({ accessKeyId }) => accessKeyId === id)
    if (known === undefined) {
      return yield* Result.fail(refuse("InvalidAccessKeyId", undefined, { OSSAccessKeyId: id }))
    }
    if (isV4) {
      yield* checkScope(scope, { where: "x-oss-credential", region, credential })
      if (Option.isNone(timeOf(fields["x-oss-date"]))) {
        return yield* Result.fail(
          invalid("x-oss-date", fields["x-oss-date"] ?? "", "x-oss-date is malformed.")
        )
      }
    }
    const signature = isV4
      ? createHmac("sha256", keyOf(known.accessKeySecret, scope)).update(policy).digest("hex")
      : createHmac("sha1", known.accessKeySecret).update(policy).digest("base64")
    const given = isV4 ? fields["x-oss-signature"] : fields["signature"]
    return signature === given
      ? known
      : yield* Result.fail(
          refuse("SignatureDoesNotMatch", undefined, {
            OSSAccessKeyId: id,
            SignatureProvided: given ?? "",
            StringToSign: policy
          })
        )
  })
