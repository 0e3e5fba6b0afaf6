/** The order of lists. */
import type { UploadPosition } from "../OssModel.ts"
import { maxParts } from "./parts.ts"

/** Whether a list of parts goes on behind the part `after`, and not beyond the last one that can be. What is no number doesn't. */
export const isPartBeyond = (next: number, after: number): boolean =>
  next > after && next <= maxParts

/** Whether a list goes on behind `after`: OSS lists by key, then by upload id, both by their bytes. */
export const isBeyond = (next: UploadPosition, after: UploadPosition): boolean => {
  const order = compareBytes(next.key, after.key)
  return order > 0 || (order === 0 && compareBytes(next.uploadId, after.uploadId) > 0)
}

/** In UTF-8, where the order of bytes is that of code points. */
export const compareBytes = (a: string, b: string): number => {
  const [left, right] = [Array.from(a), Array.from(b)]
  const at = left.findIndex((character, index) => character !== right[index])
  if (at < 0) return left.length - right.length
  return (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? -1)
}
