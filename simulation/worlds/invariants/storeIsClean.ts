import * as Checkpoint from "@effect-oss/core/Checkpoint"
import * as Option from "effect/Option"
import { hashOf } from "../../../packages/node-fs-store/src/internal/place.ts"
import { directory } from "../../kernel/process.ts"
import type { History } from "./history.ts"
import type { Invariant, Party } from "./invariant.ts"

export const make = ({ trace, server, disk, count }: History): Invariant => {
  const { stats } = trace
  /**
   * A loss of power brings back a lease whose removal was not synced, a broken
   * disk refuses to remove one, and a damaged file can't be read any more.
   */
  const isLeft = (path: string) =>
    count.damages === 0 && (path.endsWith(".journal") || stats.powerLosses + stats.diskFaults === 0)

  const checkpointOf = ({ key, sourceId }: Party) => {
    const { endpoint, bucket } = server.client
    return Checkpoint.keyOf({ endpoint, bucket, key, sourceId })
  }
  return {
    promise: "After the last success the store holds no file.",
    atTheEnd: (parties) => {
      const failures = parties.filter(({ end }) => Option.exists(end, (end) => "_tag" in end))
      stats.finalErrors += failures.length
      const excused = failures.map((party) => hashOf(checkpointOf(party)))
      const left = disk
        .files(directory)
        .filter((path) => isLeft(path) && !excused.some((hash) => path.includes(hash)))
      if (left.length > 0) trace.violated(`files are left in the store: ${left.join(" ")}`)
    }
  }
}
