/** What stands in the rows of a checkpoint, and what can be made of it. Pure. */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import { Damaged, UnknownVersion } from "@effect-oss/core/CheckpointStore"
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The format in which rows are written. */
export const format = 1

/** A checkpoint's row. */
export interface Row {
  /** JSON: any text that JavaScript knows, of characters that every database takes. */
  readonly checkpoint_key: string
  /** Null where there is no header. */
  readonly format: number | null
  /** JSON, or null. */
  readonly header: string | null
}

/** A part's row as it is read. */
export interface PartRow {
  readonly number: number
  readonly offset: number
  readonly size: number
  readonly etag: string
  /** Decimal. */
  readonly crc64: string
}

/** A part's row as it is written: `n` counts the records of a holder and those before. */
export interface NewPartRow extends Omit<PartRow, "offset"> {
  readonly part_offset: number
  readonly n: number
}

const Key = Schema.fromJsonString(Schema.String)
const HeaderText = Schema.fromJsonString(Checkpoint.Header)

/** A key as it stands in a row. */
export const encodeKey: (key: string) => string = Schema.encodeSync(Key)

/** A header as it stands in a row. */
export const encodeHeader: (header: Checkpoint.Header) => string = Schema.encodeSync(HeaderText)

const decodeKey = Schema.decodeResult(Key)
const decodeHeader = Schema.decodeUnknownResult(HeaderText)
const decodePart = Schema.decodeUnknownResult(Checkpoint.PartRecord)

/** A row of a part. */
export const partRow = ({ number, offset, size, etag, crc64 }: UploadedPart, n: number) =>
  ({ number, part_offset: offset, size, etag, crc64: String(crc64), n }) satisfies NewPartRow

/** A checkpoint's key. */
export const keyOf = (row: Pick<Row, "checkpoint_key">): Result.Result<string, Damaged> =>
  Result.mapError(decodeKey(row.checkpoint_key), () => damaged("its key can't be read"))

/** A checkpoint's header. */
export const headerOf = (row: Row): Result.Result<Checkpoint.Header, Damaged | UnknownVersion> =>
  row.format === format
    ? Result.mapError(decodeHeader(row.header), () => damaged("its header can't be read"))
    : Result.fail(new UnknownVersion({ version: String(row.format) }))

/** A checkpoint's parts, in that order. */
export const partsOf = (
  rows: ReadonlyArray<PartRow>
): Result.Result<ReadonlyArray<UploadedPart>, Damaged> =>
  Result.all(
    rows.map((row) =>
      Result.mapError(decodePart(row), () => damaged(`its part ${row.number} can't be read`))
    )
  )

const damaged = (description: string) => new Damaged({ description })
