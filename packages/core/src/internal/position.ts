/** The order in which OSS lists parts and uploads. */
import type { UploadPosition } from "../OssModel.ts"
import { maxParts } from "./parts.ts"

/** Whether part `next` comes after part `after` in a list, and can exist. False for `NaN`. */
export const isPartBeyond = (next: number, after: number): boolean =>
  next > after && next <= maxParts

/** Whether `next` comes after `after`: OSS lists by key, then by upload id, both as bytes. */
export const isBeyond = (next: UploadPosition, after: UploadPosition): boolean => {
  const order = compareBytes(next.key, after.key)
  return order > 0 || (order === 0 && compareBytes(next.uploadId, after.uploadId) > 0)
}

/** Compares texts by their bytes in UTF-8, which have the order of the code points. */
export const compareBytes = (a: string, b: string): number => {
  const [left, right] = [Array.from(a), Array.from(b)]
  const at = left.findIndex((character, index) => character !== right[index])
  if (at < 0) return left.length - right.length
  return (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? -1)
}
