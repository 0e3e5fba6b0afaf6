/** Shows the uploads that can be resumed as a table. */
import type { Summary } from "@effect-oss/core/Checkpoint"
import * as Text from "@effect-oss/terminal/Text"
import { table } from "./table.ts"

const titles = ["OBJECT", "FILE", "DONE", "AGE", "DIRECTORY"]

/**
 * Returns a line of titles and a line for each upload. `now` is in milliseconds
 * since 1970. Without uploads, it returns a line that says so.
 */
export const pendingTable = (
  summaries: ReadonlyArray<Summary>,
  now: number
): ReadonlyArray<string> => {
  if (summaries.length === 0) return ["no upload is waiting to be resumed"]
  return table(titles, summaries.map(row(now)))
}

const row =
  (now: number) =>
  ({ header, durable }: Summary): ReadonlyArray<string> => {
    const { bucket, key, size, createdAt } = header
    const path = header.sourceId.replace(/^file:/, "")
    const slash = path.lastIndexOf("/")
    return [
      `oss://${bucket}/${key}`,
      path.slice(slash + 1),
      `${!size ? 0 : Math.min(99, Math.floor((100 * durable) / size))} %`,
      Text.wholeDuration(now - createdAt),
      slash === -1 ? "" : path.slice(0, slash) || "/"
    ].map(Text.printable)
  }
