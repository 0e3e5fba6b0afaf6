/** What an earlier run left, in words. */
import type { Summary } from "@effect-oss/core/Checkpoint"
import * as Size from "../Size.ts"

export const describe = ({ header, durable, parts }: Summary): string => {
  const { bucket, key, size, sourceId } = header
  const amount = `${Size.format(durable)}${size === null ? "" : ` of ${Size.format(size)}`}`
  const pieces = `${parts} ${parts === 1 ? "part" : "parts"}`
  return `${bucket}/${key}: ${amount} in ${pieces}, from ${sourceId.replace(/^file:/, "")}`
}
