/** Checkpoints for the contract of stores, and for the tests of the stores in these packages. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Header, Receipt } from "../Checkpoint.ts"
import * as Checkpoint from "../Checkpoint.ts"
import type { CheckpointError, CheckpointLog } from "../CheckpointStore.ts"
import { CheckpointStore } from "../CheckpointStore.ts"
import type { UploadedPart } from "../Part.ts"

/** The header of the source `name`. Use `createdAt` to tell headers apart. */
export const header = (createdAt = 1, name = "key"): Header => ({
  endpoint: "https://oss-cn-hangzhou.aliyuncs.com",
  bucket: "bucket",
  key: "backups/数据\n😀.tar",
  sourceId: name,
  fingerprint: "80000000000-1700000000000.25-42",
  size: 80_000_000_000,
  partSize: 8_388_608,
  options: "f00d",
  createdAt,
  uploadId: "0004B9894A22E5B1888A1E29F823****"
})

/** The checkpoint key of the source `name`, which `open` takes. */
export const keyOf = (name: string): string => Checkpoint.keyOf(header(1, name))

/** A receipt. Use `completedAt` to tell receipts apart. */
export const receipt = (completedAt = 1): Receipt => ({
  size: 80_000_000_000,
  etag: '"5B3C1A2E053D763E1B002CC607C5A0FE-9537"',
  crc64: 0xffff_ffff_ffff_ffffn,
  verified: true,
  completedAt
})

/** A part whose offset, ETag and CRC64 depend on its number. */
export const part = (number: number): UploadedPart => ({
  number,
  offset: (number - 1) * 8_388_608,
  size: 8_388_608,
  etag: `"${number.toString(16).toUpperCase().padStart(32, "0")}"`,
  crc64: 0xffff_ffff_ffff_ffffn - BigInt(number)
})

/** The parts 1 to `count`. */
export const parts = (count: number): ReadonlyArray<UploadedPart> =>
  Array.from({ length: count }, (_, index) => part(index + 1))

/** Opens the checkpoint of the source `name`, and closes it when `use` ends. */
export const withLog = <A, E, R>(
  name: string,
  use: (log: CheckpointLog) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | CheckpointError, CheckpointStore | Exclude<R, Scope.Scope>> =>
  Effect.scoped(
    Effect.flatMap(
      CheckpointStore.use((store) => store.open(keyOf(name))),
      use
    )
  )

/** Opens the checkpoint and returns the recovered header and parts, sorted by number. */
export const recover = (
  name: string
): Effect.Effect<
  Option.Option<{ readonly header: Header; readonly parts: Array<UploadedPart> }>,
  CheckpointError,
  CheckpointStore
> =>
  withLog(name, ({ recovered }) =>
    Effect.succeed(
      Option.map(recovered, ({ header, parts }) => ({
        header,
        parts: [...parts].sort((a, b) => a.number - b.number)
      }))
    )
  )
