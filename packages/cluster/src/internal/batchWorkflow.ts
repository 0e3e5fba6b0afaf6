/**
 * Many small files as one durable workflow. The workflow costs the database the
 * same for one file as for many. A batch is cut into slices, which runners
 * share. `Uploads.submitMany` submits batches.
 */
import * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { Failure } from "../ClusterError.ts"
import { ObjectOptions } from "./uploadWorkflow.ts"

/**
 * The payload of a batch. Its slices have the files.
 */
export const Batch = Schema.Struct({
  bucket: Schema.String,
  /** The common prefix of all keys. */
  key: Schema.String,
  /** The size of all files, in bytes. */
  size: Schema.Int,
  files: Schema.Int,
  slices: Schema.Int,
  /** Digest of the files, their keys and fingerprints, and the object options. */
  digest: Schema.String,
  options: ObjectOptions,
  /** The number of earlier executions of this batch. */
  attempt: Schema.Int,
  /** True: upload even files that are already stored. */
  again: Schema.optionalKey(Schema.Literal(true))
})

/**
 * The payload of a batch. Its slices have the files.
 */
export type Batch = typeof Batch.Type

/**
 * The result of a batch.
 */
export const BatchResult = Schema.Struct({
  bucket: Schema.String,
  /** The common prefix of all keys. */
  key: Schema.String,
  /** The number of stored files, including those that were there already. */
  files: Schema.Int,
  /** The number of these files that were already there, identical. */
  skipped: Schema.Int,
  /** The size of the stored files, in bytes. */
  size: Schema.Int,
  /** The number of files that could not be uploaded. */
  failed: Schema.Int,
  /** The errors of the first 100 of them. */
  failures: Schema.Array(Schema.Struct({ key: Schema.String, error: Failure }))
})

/**
 * The result of a batch.
 */
export type BatchResult = typeof BatchResult.Type

/**
 * The workflow of a batch. It succeeds once each file is stored or has failed
 * for good. It fails if one cause would fail all files, or if it is cancelled.
 */
export const BatchWorkflow = Workflow.make("@effect-oss/cluster/Batch", {
  payload: Batch,
  success: BatchResult,
  error: Failure,
  idempotencyKey: ({ bucket, digest, attempt }) => JSON.stringify([bucket, digest, attempt])
})
