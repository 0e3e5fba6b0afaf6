import type { Case, Signing } from "../Case.ts"
import { ec, goV1, operation, signatureV1, signatureV4 } from "../sources.ts"

const signed = (rule: string, source: string, sign: Signing, answer: Case["answer"]): Case => ({
  rule,
  source,
  given: [{ method: "PUT", body: "x" }],
  asked: { method: "GET", sign },
  answer
})

const accepted = { status: 200, body: "x" }
const refused = (code: string, ec?: string) => ({
  status: code === "InvalidArgument" ? 400 : 403,
  code,
  ...(ec !== undefined && { ec })
})
const mismatch = { ...refused("SignatureDoesNotMatch"), xml: { StringToSign: /./s } }

export const signatures: ReadonlyArray<Case> = [
  signed("A signature of version 4 is accepted.", signatureV4, { version: "v4" }, accepted),
  signed("A signature of version 1 is accepted.", signatureV1, { version: "v1" }, accepted),
  signed(
    "A signature of version 4 may be dated by Date, which is signed as it is sent.",
    goV1("oss/auth.go"),
    { byDate: true },
    accepted
  ),
  ...(["v4", "v1"] as const).flatMap((version) => {
    const source = version === "v4" ? signatureV4 : signatureV1
    const name = version === "v4" ? "4" : "1"
    return [
      signed(
        `A signature of version ${name} by another secret is refused, with what was to be signed.`,
        source,
        { version, secret: "another" },
        mismatch
      ),
      signed(
        `A signature of version ${name} that was changed is refused.`,
        source,
        { version, tampered: true },
        mismatch
      ),
      signed(
        `A signature of version ${name} by an unknown key is refused.`,
        ec("0002-00000902"),
        { version, accessKeyId: "unknown" },
        refused("InvalidAccessKeyId", "0002-00000902")
      ),
      signed(
        `A signature of version ${name} that is 20 minutes old is refused.`,
        ec("0002-00000504"),
        { version, skew: -1200 },
        refused("RequestTimeTooSkewed")
      ),
      signed(
        `A signature of version ${name} from 20 minutes ahead is refused.`,
        ec("0002-00000504"),
        { version, skew: 1200 },
        refused("RequestTimeTooSkewed")
      ),
      signed(
        `A signature of version ${name} that is 10 minutes old is accepted.`,
        source,
        { version, skew: -600 },
        accepted
      )
    ]
  }),
  signed(
    "The scope of version 4 names a region without `oss-`.",
    ec("0002-00000228"),
    { region: "oss-cn-hangzhou" },
    refused("InvalidArgument", "0002-00000228")
  ),
  signed(
    "The scope of version 4 names a region that exists.",
    ec("0002-00000228"),
    { region: "InvalidRegion" },
    refused("InvalidArgument", "0002-00000228")
  ),
  signed(
    "The scope of version 4 names the bucket's region.",
    ec("0002-00000228"),
    { region: "cn-other" },
    refused("InvalidArgument", "0002-00000228")
  ),
  signed(
    "The scope of version 4 names the product oss.",
    signatureV4,
    { product: "s3" },
    refused("InvalidArgument")
  ),
  signed(
    "The scope of version 4 ends with aliyun_v4_request.",
    ec("0002-00000213"),
    { requestType: "abc" },
    refused("InvalidArgument", "0002-00000213")
  ),
  signed(
    "The scope of version 4 has its day as YYYYMMDD.",
    ec("0002-00000212"),
    { day: "2022-12-20" },
    refused("InvalidArgument", "0002-00000212")
  ),
  {
    rule: "Version 4 takes no check sum of the body but UNSIGNED-PAYLOAD.",
    source: ec("0002-00000214"),
    asked: { method: "PUT", body: "x", headers: { "x-oss-content-sha256": "0".repeat(64) } },
    answer: refused("InvalidArgument", "0002-00000214")
  },
  signed(
    "A presigned URL of version 4 is accepted.",
    ec("0002-00000232"),
    { version: "presigned-v4" },
    accepted
  ),
  signed(
    "A presigned URL of version 4 is good for seven days.",
    ec("0002-00000232"),
    { version: "presigned-v4", seconds: "604800" },
    accepted
  ),
  ...["604801", "0", "abc"].map((seconds) =>
    signed(
      `A presigned URL of version 4 is not good for ${seconds} seconds.`,
      ec("0002-00000232"),
      { version: "presigned-v4", seconds },
      refused("InvalidArgument", "0002-00000232")
    )
  ),
  signed(
    "A presigned URL of version 4 expires.",
    ec("0002-00000069"),
    { version: "presigned-v4", skew: -120 },
    refused("AccessDenied")
  ),
  signed(
    "A presigned URL of version 4 names a region without `oss-`.",
    ec("0002-00000226"),
    { version: "presigned-v4", region: "oss-cn-hangzhou" },
    refused("InvalidArgument", "0002-00000226")
  ),
  signed(
    "A presigned URL of version 4 that was changed is refused.",
    signatureV4,
    { version: "presigned-v4", tampered: true },
    refused("SignatureDoesNotMatch")
  ),
  signed(
    "A presigned URL of version 1 is accepted.",
    operation("add-signatures-to-urls"),
    { version: "presigned-v1" },
    accepted
  ),
  signed(
    "A presigned URL of version 1 expires.",
    ec("0002-00000069"),
    { version: "presigned-v1", skew: -120 },
    refused("AccessDenied", "0002-00000069")
  ),
  signed(
    "A presigned URL of version 1 that expires at no time is refused.",
    ec("0002-00000070"),
    { version: "presigned-v1", seconds: "abc" },
    { status: 400, code: "InvalidArgument", ec: "0002-00000070" }
  ),
  signed(
    "A private object is not read without a signature.",
    operation("putobjectacl"),
    { version: "none" },
    refused("AccessDenied", "0003-00000001")
  ),
  {
    rule: "An object that is public is read without a signature.",
    source: operation("putobjectacl"),
    given: [{ method: "PUT", body: "x", headers: { "x-oss-object-acl": "public-read" } }],
    asked: { method: "GET", sign: { version: "none" } },
    answer: accepted
  },
  {
    rule: "An object that is public is not written without a signature.",
    source: operation("putobjectacl"),
    given: [{ method: "PUT", body: "x", headers: { "x-oss-object-acl": "public-read" } }],
    asked: { method: "PUT", body: "y", sign: { version: "none" } },
    answer: { status: 403, code: "AccessDenied" }
  }
]
