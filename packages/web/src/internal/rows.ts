/** The records of the database, and their conversion. Pure. */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import type { Reason } from "./database.ts"
import { Damaged, UnknownVersion } from "@effect-oss/core/CheckpointStore"
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The version of the record format. */
const format = 1

/** A checkpoint: its header and, once the object is complete, the receipt. */
const Row = Schema.Struct({
  checkpointKey: Schema.String,
  /** `Checkpoint.objectOf` of the header, which the index needs. */
  object: Schema.String,
  format: Schema.Literal(format),
  /** The current or last holder. Only this holder may change the record. */
  holder: Schema.String,
  /** Changes with each `begin`. Parts of other generations don't count. */
  generation: Schema.NonEmptyString,
  header: Checkpoint.Header,
  receipt: Schema.optionalKey(Checkpoint.Receipt)
})

/** A stored checkpoint. */
export type Row = typeof Row.Type

/** A part. `order` is the sequence in which parts were recorded. */
const PartRow = Schema.Struct({
  checkpointKey: Schema.String,
  generation: Schema.String,
  order: Schema.Finite,
  part: Checkpoint.PartRecord
})

/** A stored part. */
export type PartRow = typeof PartRow.Type

const decodeRow = Schema.decodeUnknownResult(Row)
const decodeFormat = Schema.decodeUnknownResult(Schema.Struct({ format: Schema.Finite }))
const decodePart = Schema.decodeUnknownResult(PartRow)

/** As it is put into the database. */
export const encode: (row: Row) => unknown = Schema.encodeSync(Row)

/** Makes the record of a checkpoint. */
export const row = (fields: Omit<Row, "format" | "object">): Row => ({
  ...fields,
  format,
  object: Checkpoint.objectOf(fields.header)
})

/** As it is put into the database. */
export const encodePart: (row: PartRow) => unknown = Schema.encodeSync(PartRow)

/** Decodes a record of the database. */
export const rowOf = (stored: unknown): Result.Result<Row, Reason> =>
  Result.mapError(decodeRow(stored), () =>
    Result.match(decodeFormat(stored), {
      onSuccess: ({ format: found }) =>
        found === format
          ? damaged("its header can't be read")
          : new UnknownVersion({ version: String(found) }),
      onFailure: () => damaged("its header can't be read")
    })
  )

/** Returns the parts of this generation in the order in which they were recorded, and the number of the last record. */
export const partsOf = (
  { generation }: Row,
  stored: ReadonlyArray<unknown>
): Result.Result<{ readonly parts: ReadonlyArray<UploadedPart>; readonly last: number }, Reason> =>
  Result.map(
    Result.mapError(Result.all(stored.map((one) => decodePart(one))), () =>
      damaged("one of its parts can't be read")
    ),
    (rows) => {
      const own = rows
        .filter((row) => row.generation === generation)
        .sort((a, b) => a.order - b.order)
      return { parts: own.map(({ part }) => part), last: own.at(-1)?.order ?? 0 }
    }
  )

/** The holder of a record, whether the record is readable or not. */
export const holderOf = (stored: unknown): string | undefined =>
  Option.getOrUndefined(Option.map(decodeHolder(stored), ({ holder }) => holder))

const decodeHolder = Schema.decodeUnknownOption(Schema.Struct({ holder: Schema.String }))

const damaged = (description: string) => new Damaged({ description })
