/** Encodes and decodes the rows of a checkpoint. Pure. */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import { Damaged, UnknownVersion } from "@effect-oss/core/CheckpointStore"
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Fragment } from "effect/sql/Statement"
import type { Database } from "./database.ts"

/** The format of new rows. */
export const format = 1

/** A checkpoint's row. */
export interface Row {
  /** JSON, which escapes characters that a database may reject. */
  readonly checkpoint_key: string
  /** Null if there is no header. */
  readonly format: number | null
  /** JSON, or null if there is no header. */
  readonly header: string | null
  /** JSON, or null if the upload isn't finished. */
  readonly receipt: string | null
}

/**
 * The maximum number of characters to read from a column: more than this library
 * writes. A longer text is `Damaged`.
 */
export const limits = { key: 2 ** 17, header: 2 ** 18, receipt: 2 ** 12, etag: 2 ** 10, crc64: 21 }

/** The largest number of parts that OSS accepts. */
export const maxParts = 10_000

/** The columns of `Row`, for a SELECT. */
export const columns = ({ sql, start }: Database): Fragment =>
  sql`${start("checkpoint_key", limits.key)} AS checkpoint_key, format,
    ${start("header", limits.header)} AS header, ${start("receipt", limits.receipt)} AS receipt`

/** A part's row when it is read. */
export interface PartRow {
  readonly number: number
  readonly offset: number
  readonly size: number
  readonly etag: string
  /** In decimal digits. */
  readonly crc64: string
}

/** A part's row when it is written. `n` is its place in the order of all records. */
export interface NewPartRow extends Omit<PartRow, "offset"> {
  readonly part_offset: number
  readonly n: number
}

const Key = Schema.fromJsonString(Schema.String)
const ReceiptText = Schema.fromJsonString(Checkpoint.Receipt)
const HeaderText = Schema.fromJsonString(Checkpoint.Header)

export const encodeKey: (key: string) => string = Schema.encodeSync(Key)

export const encodeHeader: (header: Checkpoint.Header) => string = Schema.encodeSync(HeaderText)

export const encodeReceipt: (receipt: Checkpoint.Receipt) => string = Schema.encodeSync(ReceiptText)

const decodeReceipt = Schema.decodeUnknownResult(ReceiptText)
const decodeKey = Schema.decodeResult(Key)
const decodeHeader = Schema.decodeUnknownResult(HeaderText)
const decodePart = Schema.decodeUnknownResult(Checkpoint.PartRecord)

export const partRow = ({ number, offset, size, etag, crc64 }: UploadedPart, n: number) =>
  ({ number, part_offset: offset, size, etag, crc64: String(crc64), n }) satisfies NewPartRow

/** Decodes the key. */
export const keyOf = (row: Pick<Row, "checkpoint_key">): Result.Result<string, Damaged> =>
  Result.mapError(decodeKey(row.checkpoint_key), () => damaged("its key can't be read"))

/** Null for a text that was cut off, because its beginning alone might be valid. */
const wholeOf = (text: string | null, limit: number) =>
  text === null || text.length >= limit ? null : text

/** Decodes the header. */
export const headerOf = (row: Row): Result.Result<Checkpoint.Header, Damaged | UnknownVersion> =>
  row.format === format
    ? Result.mapError(decodeHeader(wholeOf(row.header, limits.header)), () =>
        damaged("its header can't be read")
      )
    : Result.fail(new UnknownVersion({ version: String(row.format) }))

/** The header and receipt of a finished upload; none if it isn't finished. */
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

/** A checkpoint's parts, in the order of the rows. */
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
