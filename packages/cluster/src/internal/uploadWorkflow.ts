/**
 * An upload as a durable workflow: what it is asked to do, what it ends with,
 * and its name in the cluster. `Uploads` submits and steers it, `UploadRunner`
 * runs it.
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
 * How the object is to be stored: `ObjectOptions.ObjectOptions`, as it is kept in
 * the cluster's database.
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
 * How the object is to be stored.
 */
export type ObjectOptions = typeof ObjectOptions.Type

/**
 * All that a runner needs to know of an upload. `submit.ts` makes it.
 */
export const Job = Schema.Struct({
  bucket: Schema.String,
  key: Schema.String,
  source: Locator,
  /** Of the source when the upload was asked for: another one is another upload. */
  fingerprint: Schema.String,
  /** Of the source, in bytes. */
  size: Schema.Int,
  /** In bytes. A source below it goes up with one request. */
  partSize: Schema.Int,
  options: ObjectOptions,
  /** What becomes of the parts if the upload fails: they stay, for the next attempt, or are aborted. If the source changed, or the upload is cancelled, they are aborted in any case. */
  onFailure: Schema.Literals(["keep", "abort"]),
  /** How many executions of this upload have ended before. */
  attempt: Schema.Int,
  /** True: upload, even if the execution before has stored the object and it is still there. */
  again: Schema.optionalKey(Schema.Literal(true))
})

/**
 * All that a runner needs to know of an upload.
 */
export type Job = typeof Job.Type

/**
 * The workflow of an upload. The same source, by its name and fingerprint, to the same
 * object, to be stored in the same way, is the same execution, whoever submits
 * it and however often.
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
