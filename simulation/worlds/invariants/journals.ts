/** Checkpoints on the simulated disk, read by the store's own recovery. */
import type * as Checkpoint from "@effect-oss/core/Checkpoint"
import * as Result from "effect/Result"
import * as Journal from "../../../packages/node-fs-store/src/internal/journal.ts"
import type { Disk } from "../../kernel/disk.ts"

/** The checkpoint that a store finds in a journal; undefined if it finds none. */
export const recover = (bytes: Uint8Array): Checkpoint.Checkpoint | undefined => {
  const recovered = Journal.recover(bytes)
  return Result.isSuccess(recovered) ? recovered.success.checkpoint : undefined
}

/** The newest checkpoint of each key in a directory. */
export const newest = (disk: Disk, directory: string): ReadonlyArray<Checkpoint.Checkpoint> => {
  const paths = new Map<string, string>()
  for (const path of disk.files(directory)) {
    const name = journalName.exec(path)
    if (name?.[1] === undefined) continue
    const other = journalName.exec(paths.get(name[1]) ?? "")
    if (other === null || Number(name[2]) > Number(other[2])) paths.set(name[1], path)
  }
  return Array.from(paths.values()).flatMap((path) => {
    const checkpoint = recover(disk.bytes(path) ?? new Uint8Array())
    return checkpoint === undefined ? [] : [checkpoint]
  })
}

/** Key, generation and token: the highest generation counts. */
const journalName = /([0-9a-f]{32})\.(\d+)\.[0-9a-f-]{36}\.journal$/
