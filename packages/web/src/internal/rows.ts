/** What stands in the records of the database, and what can be made of it. Pure. */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import type { Reason } from "./database.ts"
import { Damaged, UnknownVersion } from "@effect-oss/core/CheckpointStore"
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The format in which records are written. */
const format = 1

/** A checkpoint: its header and, once the object is complete, the receipt. */
const Row = Schema.Struct({
  checkpointKey: Schema.String,
  /** `Checkpoint.objectOf` of the header, which the index needs. */
  object: Schema.String,
  format: Schema.Literal(format),
  /** Who holds it, or was the last to: nobody else may change it. */
  holder: Schema.String,
  /** Changes with each `begin`: the parts of others don't count. */
  generation: Schema.NonEmptyString,
  header: Checkpoint.Header,
  receipt: Schema.optionalKey(Checkpoint.Receipt)
})

/** A checkpoint as it is kept. */
export type Row = typeof Row.Type

/** A part; `order` tells which was recorded first. */
const PartRow = Schema.Struct({
  checkpointKey: Schema.String,
  generation: Schema.String,
  order: Schema.Finite,
  part: Checkpoint.PartRecord
})

/** A part as it is kept. */
export type PartRow = typeof PartRow.Type

const decodeRow = Schema.decodeUnknownResult(Row)
const decodeFormat = Schema.decodeUnknownResult(Schema.Struct({ format: Schema.Finite }))
const decodePart = Schema.decodeUnknownResult(PartRow)

/** As it is put into the database. */
export const encode: (row: Row) => unknown = Schema.encodeSync(Row)

/** A checkpoint. */
export const row = (fields: Omit<Row, "format" | "object">): Row => ({
  ...fields,
  format,
  object: Checkpoint.objectOf(fields.header)
})

/** As it is put into the database. */
export const encodePart: (row: PartRow) => unknown = Schema.encodeSync(PartRow)

/** What was taken out of the database. */
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

/** The parts of this generation, in the order in which they were recorded, and the number of the last record. */
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

/** Who holds a record, readable or not. */
export const holderOf = (stored: unknown): string | undefined =>
  Option.getOrUndefined(Option.map(decodeHolder(stored), ({ holder }) => holder))

const decodeHolder = Schema.decodeUnknownOption(Schema.Struct({ holder: Schema.String }))

const damaged = (description: string) => new Damaged({ description })
