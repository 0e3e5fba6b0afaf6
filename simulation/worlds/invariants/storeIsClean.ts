import * as Checkpoint from "@effect-oss/core/Checkpoint"
import * as Option from "effect/Option"
import { hashOf } from "../../../packages/node-fs-store/src/internal/place.ts"
import type { History } from "./history.ts"
import type { Invariant, Party } from "./invariant.ts"

export const make = ({ trace, server, disk, count, strangers }: History): Invariant => {
  const { stats } = trace
  /** Files that the disk would not remove, and directories that it would not sync. */
  const refused = new Set<string>()
  const directoryOf = (path: string) => path.slice(0, path.lastIndexOf("/"))
  /** A journal that can't be removed stays after its upload, which warns of it. */
  const isJournal = (path: string) =>
    path.endsWith(".journal") && !refused.has(path) && !refused.has(directoryOf(path))
  /**
   * A loss of power brings back a lease whose removal was not synced, a broken
   * disk refuses to remove one, and a damaged file can't be read any more.
   */
  const isLeft = (path: string) =>
    count.damages === 0 &&
    (isJournal(path) || stats.powerLosses + stats.diskFaults + count.threadDeaths === 0)

  const checkpointOf = ({ key, sourceId }: Party) => {
    const { endpoint, bucket } = server.client
    return Checkpoint.keyOf({ endpoint, bucket, key, sourceId })
  }
  return {
    promise: "After the last success the store holds no file.",
    onRefused: (path) => void refused.add(path),
    atTheEnd: (parties) => {
      const failures = parties.filter(({ end }) => Option.exists(end, (end) => "_tag" in end))
      stats.finalErrors += failures.length
      const excused = failures.map((party) => hashOf(checkpointOf(party)))
      const hashes = new Set(Array.from(strangers, hashIn))
      const isStrangers = (path: string) => hashes.has(hashIn(path))
      const directories = new Set(parties.map(({ directory }) => directory))
      const left = Array.from(directories)
        .flatMap(disk.files)
        .filter((path) => !isStrangers(path))
        .filter((path) => isLeft(path) && !excused.some((hash) => path.includes(hash)))
      if (left.length > 0) trace.violated(`files are left in the store: ${left.join(" ")}`)
    }
  }
}

/** The hash of the checkpoint that a file belongs to. */
const hashIn = (path: string) => path.slice(path.lastIndexOf("/") + 1).split(".")[0] ?? ""
