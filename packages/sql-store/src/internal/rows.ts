/** What stands in the rows of a checkpoint, and what can be made of it. Pure. */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import { Damaged, UnknownVersion } from "@effect-oss/core/CheckpointStore"
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Fragment } from "effect/sql/Statement"
import type { Database } from "./database.ts"

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
  /** JSON, or null unless the object is complete. */
  readonly receipt: string | null
}

/**
 * How many characters are read of what a row holds: more than this library ever
 * writes. A text that is cut off there can't be read, and is `Damaged`.
 */
export const limits = { key: 2 ** 17, header: 2 ** 18, receipt: 2 ** 12, etag: 2 ** 10, crc64: 21 }

/** OSS: at most 10,000 parts. */
export const maxParts = 10_000

/** What is read of a checkpoint's row. */
export const columns = ({ sql, start }: Database): Fragment =>
  sql`${start("checkpoint_key", limits.key)} AS checkpoint_key, format,
    ${start("header", limits.header)} AS header, ${start("receipt", limits.receipt)} AS receipt`

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
const ReceiptText = Schema.fromJsonString(Checkpoint.Receipt)
const HeaderText = Schema.fromJsonString(Checkpoint.Header)

/** A key as it stands in a row. */
export const encodeKey: (key: string) => string = Schema.encodeSync(Key)

/** A header as it stands in a row. */
export const encodeHeader: (header: Checkpoint.Header) => string = Schema.encodeSync(HeaderText)

/** A receipt as it stands in a row. */
export const encodeReceipt: (receipt: Checkpoint.Receipt) => string = Schema.encodeSync(ReceiptText)

const decodeReceipt = Schema.decodeUnknownResult(ReceiptText)
const decodeKey = Schema.decodeResult(Key)
const decodeHeader = Schema.decodeUnknownResult(HeaderText)
const decodePart = Schema.decodeUnknownResult(Checkpoint.PartRecord)

/** A row of a part. */
export const partRow = ({ number, offset, size, etag, crc64 }: UploadedPart, n: number) =>
  ({ number, part_offset: offset, size, etag, crc64: String(crc64), n }) satisfies NewPartRow

/** A checkpoint's key. */
export const keyOf = (row: Pick<Row, "checkpoint_key">): Result.Result<string, Damaged> =>
  Result.mapError(decodeKey(row.checkpoint_key), () => damaged("its key can't be read"))

/** Nothing of a text that was cut off: its beginning might be read alone. */
const wholeOf = (text: string | null, limit: number) =>
  text === null || text.length >= limit ? null : text

/** A checkpoint's header. */
export const headerOf = (row: Row): Result.Result<Checkpoint.Header, Damaged | UnknownVersion> =>
  row.format === format
    ? Result.mapError(decodeHeader(wholeOf(row.header, limits.header)), () =>
        damaged("its header can't be read")
      )
    : Result.fail(new UnknownVersion({ version: String(row.format) }))

/** What a finished upload left; none if it isn't over. */
export const finishedOf = (
  row: Row
): Result.Result<Option.Option<Checkpoint.Finished>, Damaged | UnknownVersion> =>
  Result.gen(function* () {
    if (row.receipt === null) return Option.none()
    const header = yield* headerOf(row)
    const receipt = yield* Result.mapError(decodeReceipt(row.receipt), () =>
      damaged("its receipt can't be read")
    )
    return Option.some({ header, receipt })
  })

/** A checkpoint's parts, in that order. */
export const partsOf = (
  rows: ReadonlyArray<PartRow>
): Result.Result<ReadonlyArray<UploadedPart>, Damaged> =>
  rows.length > maxParts
    ? Result.fail(damaged(`it has more than ${maxParts} parts`))
    : Result.all(
        rows.map((row) =>
          Result.mapError(partOf(row), () => damaged(`its part ${row.number} can't be read`))
        )
      )

const partOf = (row: PartRow) =>
  Result.filterOrFail(
    decodePart(row),
    ({ etag, crc64 }) => etag.length < limits.etag && crc64 >= 0n && crc64 < 2n ** 64n,
    () => "absurd" as const
  )

const damaged = (description: string) => new Damaged({ description })
