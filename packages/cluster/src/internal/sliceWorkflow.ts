/** The payload and the name of a slice's workflow. */
import * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { ObjectOptions } from "./uploadWorkflow.ts"

/** Files of one directory whose keys share a prefix, so that each file takes few bytes. */
export const Files = Schema.Struct({
  /** The common prefix of the paths. */
  directory: Schema.String,
  /** The common prefix of the keys. */
  prefix: Schema.String,
  files: Schema.Array(
    Schema.Struct({
      /** The rest of the path. */
      path: Schema.String,
      /** The rest of the key, if it differs from `path`. */
      key: Schema.optionalKey(Schema.String),
      fingerprint: Schema.String,
      /** In bytes. */
      size: Schema.Int
    })
  )
})
export type Files = typeof Files.Type

/** The number of files in a slice. This many files may be sent twice if a runner dies, and share a handful of rows. */
export const length = 128

export const SliceWorkflow = Workflow.make("@effect-oss/cluster/Slice", {
  payload: {
    /** The batch that it belongs to. */
    batch: Schema.String,
    index: Schema.Int,
    bucket: Schema.String,
    options: ObjectOptions,
    /** True: skip files that are already stored, identical. */
    skipIdentical: Schema.Boolean,
    ...Files.fields
  },
  idempotencyKey: ({ batch, index }) => JSON.stringify([batch, index])
})
export type Slice = Workflow.PayloadSchema<typeof SliceWorkflow>["Type"]

/** The id of a slice. It depends on these two fields only. */
export const idOf = (batch: string, index: number) =>
  SliceWorkflow.executionId({
    batch,
    index,
    bucket: "",
    options: {},
    skipIdentical: false,
    directory: "",
    prefix: "",
    files: []
  })
