/** `app/api/sign/route.ts` of Next.js, or the handler of any server that has `Request` and `Response`. */
import { OssClient } from "@effect-oss/core"
import AliOss from "ali-oss"
import { Option, Schema } from "effect"

const options = {
  bucket: process.env["OSS_BUCKET"] ?? "",
  ...(process.env["OSS_ENDPOINT"] === undefined
    ? { region: process.env["OSS_REGION"] ?? "" }
    : { endpoint: process.env["OSS_ENDPOINT"] }),
  sldEnable: process.env["OSS_PATH_STYLE"] === "true",
  accessKeyId: process.env["OSS_ACCESS_KEY_ID"] ?? "",
  accessKeySecret: process.env["OSS_ACCESS_KEY_SECRET"] ?? ""
}

/** What an upload needs, and to resume and give up. */
const allowed = new Set(["initiate", "uploadPart", "complete", "put", "listParts", "head", "abort"])

/** Ask your session here. Undefined: nobody is signed in. */
const userOf = (request: Request) => request.headers.get("x-user") ?? undefined

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(OssClient.PresignRequest))

export const POST = async (request: Request): Promise<Response> => {
  const user = userOf(request)
  if (user === undefined) return new Response("sign in first", { status: 401 })
  const asked = decode(await request.text())
  if (Option.isNone(asked)) return new Response("not a request to sign", { status: 400 })
  const { operation, method, key = "", query, headers } = asked.value
  if (!allowed.has(operation) || !key.startsWith(`inbox/${user}/`)) {
    return new Response("not yours", { status: 403 })
  }
  const verb = method as AliOss.HTTPMethods
  return new Response(
    await new AliOss(options).signatureUrlV4(verb, 300, { headers, queries: query }, key)
  )
}
