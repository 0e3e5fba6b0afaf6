/**
 * Many small files as one durable workflow. What a workflow costs the database,
 * a batch costs once for many files: they are cut into slices, which runners
 * share out among themselves. `Uploads.submitMany` submits batches.
 */
import * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { Failure } from "../ClusterError.ts"
import { ObjectOptions } from "./uploadWorkflow.ts"

/**
 * What a runner needs to know of a batch: its slices have the files.
 */
export const Batch = Schema.Struct({
  bucket: Schema.String,
  /** What the keys of all files begin with. */
  key: Schema.String,
  /** Of all files, in bytes. */
  size: Schema.Int,
  files: Schema.Int,
  slices: Schema.Int,
  /** Of the files, their keys and fingerprints, and of how they are stored. */
  digest: Schema.String,
  options: ObjectOptions,
  /** How many executions of this batch have ended before. */
  attempt: Schema.Int,
  /** True: upload, even what is stored already. */
  again: Schema.optionalKey(Schema.Literal(true))
})

/**
 * What a runner needs to know of a batch: its slices have the files.
 */
export type Batch = typeof Batch.Type

/**
 * What became of a batch.
 */
export const BatchResult = Schema.Struct({
  bucket: Schema.String,
  /** What the keys of all files begin with. */
  key: Schema.String,
  /** Files that are stored, those that were there already included. */
  files: Schema.Int,
  /** Of these, those that were there already, identical. */
  skipped: Schema.Int,
  /** Of the files that are stored, in bytes. */
  size: Schema.Int,
  /** Files that could not be uploaded. */
  failed: Schema.Int,
  /** Why, of the first 100 of them. */
  failures: Schema.Array(Schema.Struct({ key: Schema.String, error: Failure }))
})

/**
 * What became of a batch.
 */
export type BatchResult = typeof BatchResult.Type

/**
 * The workflow of a batch. It succeeds once each file is stored or has failed
 * for good; it fails if all would fail alike, or if it is cancelled.
 */
export const BatchWorkflow = Workflow.make("@effect-oss/cluster/Batch", {
  payload: Batch,
  success: BatchResult,
  error: Failure,
  idempotencyKey: ({ bucket, digest, attempt }) => JSON.stringify([bucket, digest, attempt])
})
