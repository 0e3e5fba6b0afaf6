/**
 * An upload as a durable workflow: its payload, its results, and its name in
 * the cluster. `Uploads` submits and controls it; `UploadRunner` runs it.
 */
import { digestOptions } from "@effect-oss/core/internal/checkpoint"
import { UploadResult } from "@effect-oss/core/UploadEvent"
import * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { Failure } from "../ClusterError.ts"
import { Locator } from "../Locator.ts"
import { nameOf } from "./locate.ts"

const Texts = Schema.Record(Schema.String, Schema.String)

/**
 * How OSS stores the object: `ObjectOptions.ObjectOptions` as the cluster's
 * database keeps it.
 */
export const ObjectOptions = Schema.Struct({
  mime: Schema.optionalKey(Schema.String),
  headers: Schema.optionalKey(Texts),
  meta: Schema.optionalKey(Texts),
  storageClass: Schema.optionalKey(
    Schema.Literals(["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"])
  ),
  acl: Schema.optionalKey(
    Schema.Literals(["default", "private", "public-read", "public-read-write"])
  ),
  tagging: Schema.optionalKey(Texts),
  serverSideEncryption: Schema.optionalKey(
    Schema.Struct({
      algorithm: Schema.Literals(["AES256", "KMS", "SM4"]),
      keyId: Schema.optionalKey(Schema.String)
    })
  ),
  forbidOverwrite: Schema.optionalKey(Schema.Boolean),
  callback: Schema.optionalKey(
    Schema.Struct({
      url: Schema.String,
      body: Schema.String,
      host: Schema.optionalKey(Schema.String),
      contentType: Schema.optionalKey(
        Schema.Literals(["application/x-www-form-urlencoded", "application/json"])
      ),
      variables: Schema.optionalKey(Texts)
    })
  )
})

/**
 * How OSS stores the object.
 */
export type ObjectOptions = typeof ObjectOptions.Type

/**
 * The payload of an upload. `submit.ts` makes it.
 */
export const Job = Schema.Struct({
  bucket: Schema.String,
  key: Schema.String,
  source: Locator,
  /** The fingerprint of the source at submission. A different fingerprint makes a different upload. */
  fingerprint: Schema.String,
  /** The size of the source, in bytes. */
  size: Schema.Int,
  /** In bytes. A smaller source is sent in one request. */
  partSize: Schema.Int,
  options: ObjectOptions,
  /**
   * What happens to the parts if the upload fails: they stay for the next
   * attempt, or they are aborted. If the source changed or the upload is
   * cancelled, they are always aborted.
   */
  onFailure: Schema.Literals(["keep", "abort"]),
  /** The number of earlier executions of this upload. */
  attempt: Schema.Int,
  /** True: upload even if the previous execution stored the object and it still exists. */
  again: Schema.optionalKey(Schema.Literal(true))
})

/**
 * The payload of an upload. `submit.ts` makes it.
 */
export type Job = typeof Job.Type

/**
 * The workflow of an upload. Submissions of the same source (by name and
 * fingerprint) to the same object, stored in the same way, are one execution,
 * whoever submits them and however often.
 */
export const UploadWorkflow = Workflow.make("@effect-oss/cluster/Upload", {
  payload: Job,
  success: UploadResult,
  error: Failure,
  idempotencyKey: ({ bucket, key, source, fingerprint, attempt, options }) => {
    const { acl, callback } = options
    return JSON.stringify([
      bucket,
      key,
      nameOf(source),
      fingerprint,
      attempt,
      digestOptions(options),
      acl,
      callback
    ])
  }
})
