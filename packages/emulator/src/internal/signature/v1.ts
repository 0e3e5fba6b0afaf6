/**
 * Version 1 of OSS's signature: HMAC-SHA1 of a few lines.
 */
import { createHmac } from "node:crypto"
import { byCodeUnits, type Signed, type SignedRequest, sortedEntries } from "./signing.ts"

/** `date` is the text of the date line: the date, or a presigned URL's expiry. */
export const signV1 = (request: SignedRequest, date: string, secret: string): Signed => {
  const { method, bucket, key = "", headers, query } = request
  const ossHeaders = sortedEntries(headers)
    .filter(([name]) => name.startsWith("x-oss-"))
    .map(([name, value]) => `${name}:${value.trim()}\n`)
  const resources = query
    .filter(([name]) => isSubResource(name))
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
    .sort(byCodeUnits)
  const stringToSign = [
    method,
    headers["content-md5"] ?? "",
    headers["content-type"] ?? "",
    date,
    `${ossHeaders.join("")}${bucket === undefined ? "/" : `/${bucket}/${key}`}${
      resources.length === 0 ? "" : `?${resources.join("&")}`
    }`
  ].join("\n")
  return {
    stringToSign,
    signature: createHmac("sha1", secret).update(stringToSign).digest("base64")
  }
}

/** True for query parameters that are signed, because they select a property of the object or the bucket. */
export const isSubResource = (name: string): boolean =>
  subResources.has(name) || name.startsWith("response-") || name.startsWith("x-oss-")

const subResources: ReadonlySet<string> = new Set(
  (
    "acl append asyncFetch bucketInfo callback callback-var cloudboxes cname comp continuation-token cors " +
    "delete encryption endTime group httpsConfig img inventory inventoryId lifecycle link live location logging " +
    "metaQuery objectInfo objectMeta partNumber policy position qos qosInfo qosRequester rawGet referer " +
    "regionList replication replicationLocation replicationProgress requestPayment resourceGroup restore " +
    "security-token sequential startTime stat status style styleName symlink tagging transferAcceleration udf " +
    "udfApplication udfApplicationLog udfImage udfImageDesc udfName uploadId uploads versionId versioning " +
    "versions vip vod website worm wormExtend wormId"
  ).split(" ")
)
