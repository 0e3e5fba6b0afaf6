/** The answer of each operation. */
import * as Effect from "effect/Effect"
import type { Operation } from "../../Fault.ts"
import { invalid, refuse } from "../wire/errors.ts"
import { checkRequest } from "../wire/requestRules.ts"
import { type Answer, type Asked, bodiless, type Broken, type Reply } from "./asked.ts"
import * as Buckets from "./buckets.ts"
import * as Lists from "./lists.ts"
import * as Details from "./objectDetails.ts"
import * as Objects from "./objects.ts"
import { postObject } from "./post.ts"
import * as Uploads from "./uploads.ts"

const table: Readonly<Record<Operation, Answer>> = {
  initiate: bodiless(Uploads.initiate),
  uploadPart: Uploads.uploadPart,
  uploadPartCopy: bodiless(Uploads.uploadPartCopy),
  listParts: bodiless(Uploads.listParts),
  complete: Uploads.complete,
  abort: bodiless(Uploads.abort),
  listUploads: bodiless(Uploads.listUploads),

  put: Objects.put,
  get: bodiless(Objects.get),
  head: bodiless(Objects.head),
  delete: bodiless(Objects.remove),
  deleteObjects: Objects.deleteObjects,
  copy: bodiless(Objects.copy),
  append: Objects.append,
  postObject,
  getObjectAcl: bodiless(Details.getObjectAcl),
  putObjectAcl: bodiless(Details.putObjectAcl),
  getObjectTagging: bodiless(Details.getObjectTagging),
  putObjectTagging: Details.putObjectTagging,
  deleteObjectTagging: bodiless(Details.deleteObjectTagging),
  getSymlink: bodiless(Details.getSymlink),
  putSymlink: bodiless(Details.putSymlink),

  listObjects: bodiless(Lists.listObjects),
  listObjectVersions: bodiless(Lists.listObjectVersions),
  listBuckets: bodiless(Buckets.listBuckets),
  putBucket: Buckets.putBucket,
  deleteBucket: bodiless(Buckets.deleteBucket),
  headBucket: bodiless(Buckets.headBucket),
  getBucketInfo: bodiless(Buckets.getBucketInfo),
  getBucketLocation: bodiless(Buckets.getBucketLocation),
  getBucketAcl: bodiless(Buckets.getBucketAcl),
  putBucketAcl: bodiless(Buckets.putBucketAcl),
  getBucketVersioning: bodiless(Buckets.getBucketVersioning),
  putBucketVersioning: Buckets.putBucketVersioning,
  getBucketTags: bodiless(Buckets.getBucketTags),
  putBucketTags: Buckets.putBucketTags,
  deleteBucketTags: bodiless(Buckets.deleteBucketTags),
  getBucketRequestPayment: bodiless(Buckets.getBucketRequestPayment),
  putBucketRequestPayment: Buckets.putBucketRequestPayment,
  getBucketStat: bodiless(Buckets.getBucketStat),
  getBucketCors: bodiless(Buckets.getBucketCors),
  putBucketCors: Buckets.putBucketCors,
  deleteBucketCors: bodiless(Buckets.deleteBucketCors),

  preflight: () => Effect.fail(refuse("MethodNotAllowed")),
  other: () => Effect.fail(refuse("NotImplemented"))
}

export const answerTo = (asked: Asked): Effect.Effect<Reply, Broken> => {
  const { bucket = "", key = "", uploadId = "", query, operation } = asked.route
  const parameters = new Map(query)
  const parameter = (name: string) => parameters.get(name)
  const encoding = parameter("encoding-type")
  const versionId = parameter("versionId")
  if (versionId === "") {
    return Effect.fail(
      invalid("versionId", "", "The versionId must not be empty.", "0012-00000201")
    )
  }
  if (encoding !== undefined && encoding !== "url") {
    return Effect.fail(
      invalid("encoding-type", encoding, "Invalid Encoding Method specified in Request.")
    )
  }
  return Effect.andThen(
    Effect.fromResult(checkRequest(operation, asked.head.headers, parameter)),
    table[operation]({ ...asked, bucket, key, uploadId, versionId, parameter, encoding })
  )
}
