/** The fields that every submission has, in every version of this program. */
import * as Schema from "effect/Schema"
import type { Execution } from "./execution.ts"
import * as EntityTypes from "./entityTypes.ts"

export const Payload = Schema.Struct({
  bucket: Schema.String,
  key: Schema.String,
  size: Schema.Finite,
  files: Schema.optionalKey(Schema.Finite),
  slices: Schema.optionalKey(Schema.Finite)
})

export const described = (
  entityType: string,
  { files = 1, slices = 0, ...payload }: typeof Payload.Type
): Omit<Execution, "id" | "submitted" | "ended"> => ({
  kind: entityType === EntityTypes.batch ? "Batch" : "Upload",
  ...payload,
  files,
  slices
})
