/** Describes what an earlier run left. */
import type { Summary } from "@effect-oss/core/Checkpoint"
import * as Text from "@effect-oss/terminal/Text"

export const describe = ({ header, durable, parts }: Summary): string => {
  const { bucket, key, size, sourceId } = header
  const amount = `${Text.bytes(durable)}${size === null ? "" : ` of ${Text.bytes(size)}`}`
  const pieces = `${parts} ${parts === 1 ? "part" : "parts"}`
  return `${bucket}/${key}: ${amount} in ${pieces}, from ${sourceId.replace(/^file:/, "")}`
}
