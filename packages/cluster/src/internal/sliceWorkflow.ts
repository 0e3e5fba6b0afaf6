/** What a slice of a batch is asked to do, and its name in the cluster. */
import * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { ObjectOptions } from "./uploadWorkflow.ts"

/** Files of one directory, to keys with one beginning: so a file takes few bytes. */
export const Files = Schema.Struct({
  /** What paths begin with. */
  directory: Schema.String,
  /** What keys begin with. */
  prefix: Schema.String,
  files: Schema.Array(
    Schema.Struct({
      /** The rest of the path. */
      path: Schema.String,
      /** The rest of the key, if that is another. */
      key: Schema.optionalKey(Schema.String),
      fingerprint: Schema.String,
      /** In bytes. */
      size: Schema.Int
    })
  )
})
export type Files = typeof Files.Type

/** The number of files of a slice: what may be sent twice if a runner dies, and what a handful of rows are for. */
export const length = 128

export const SliceWorkflow = Workflow.make("@effect-oss/cluster/Slice", {
  payload: {
    /** The execution that it is a slice of. */
    batch: Schema.String,
    index: Schema.Int,
    bucket: Schema.String,
    options: ObjectOptions,
    /** True: what is stored already, identical, is not sent. */
    skipIdentical: Schema.Boolean,
    ...Files.fields
  },
  idempotencyKey: ({ batch, index }) => JSON.stringify([batch, index])
})
export type Slice = Workflow.PayloadSchema<typeof SliceWorkflow>["Type"]

/** The id of one of a batch's slices: only these two count. */
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
