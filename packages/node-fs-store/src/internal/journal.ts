/**
 * Encodes and recovers the text of a journal. This module is pure.
 *
 * A line is a check sum, a space and a JSON text. The first line is the header.
 * Each later line is one part, or the receipt that ends the journal. The check
 * sum is the CRC-64/XZ of the JSON's bytes. In the lines after the first, it is
 * XORed with the header's check sum. After a power failure, a disk may show a
 * record of another journal behind the end; that record then doesn't match.
 *
 * A record has its number (`n`, from 1) and the number of lines before it that
 * were `durable` when it was written. That distinguishes a torn tail from
 * damage. Lines that are written together reach the disk in any order, so a bad
 * line may have good lines behind it although it was never acknowledged. It is
 * damage only if a good line says that the bad one was durable.
 *
 * The header says where the journal was begun: on which machine, and in which
 * file, by its inode number, which a copy doesn't share. A journal from
 * elsewhere may belong to another machine's file of the same name, or to one
 * that both machines upload.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import { Damaged, UnknownVersion } from "@effect-oss/core/CheckpointStore"
import * as Crc64 from "@effect-oss/core/Crc64"
import type { UploadedPart } from "@effect-oss/core/Part"

const format = "effect-oss checkpoint"
const version = 1

const Format = Schema.fromJsonString(
  Schema.Struct({ format: Schema.Literal(format), version: Schema.Int })
)

/** The machine and the file in which a journal was begun. */
export const Origin = Schema.Struct({
  host: Schema.String,
  boot: Schema.String,
  machine: Schema.String,
  /** The inode number of the journal's file. */
  inode: Schema.String
})

/** The machine and the file in which a journal was begun. */
export type Origin = typeof Origin.Type

const HeaderLine = Schema.fromJsonString(
  Schema.Struct({
    format: Schema.Literal(format),
    version: Schema.Literal(version),
    /** The id of the journal: each has another one. */
    id: Schema.String,
    origin: Origin,
    checkpointKey: Schema.String,
    header: Checkpoint.Header
  })
)

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Record = Schema.Struct({
  n: Count,
  durable: Count,
  /** A record has either `part` or `receipt`. */
  part: Schema.optionalKey(Checkpoint.PartRecord),
  receipt: Schema.optionalKey(Checkpoint.Receipt)
})
type Record = typeof Record.Type
const RecordLine = Schema.fromJsonString(Record)

const encodeHeader = Schema.encodeSync(HeaderLine)
const encodeRecord = Schema.encodeSync(RecordLine)
const decodeFormat = Schema.decodeResult(Format)
const decodeHeader = Schema.decodeResult(HeaderLine)
const decodeRecord = Schema.decodeResult(RecordLine)

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * The largest size of a journal in bytes. A journal with 10,000 parts has 2 MB,
 * and recording each part ten times doesn't reach the limit.
 */
export const maxBytes: number = 32 * 2 ** 20
const maxRecords = 100_000
const maxRecordBytes = 2 ** 16

/** The content of a journal. */
export interface Journal {
  readonly checkpointKey: string
  readonly origin: Origin
  readonly checkpoint: Checkpoint.Checkpoint
  /** The receipt of the object, if the upload is finished. */
  readonly receipt: Option.Option<Checkpoint.Receipt>
}

/** The check sum of the header, with which the check sums of later lines are XORed. */
export type Seal = bigint

/**
 * Makes the text of a new journal. The file is synced before any process sees
 * it, so all its records count as durable.
 */
export const begin = (
  {
    id,
    origin,
    checkpointKey
  }: Pick<Journal, "checkpointKey" | "origin"> & { readonly id: string },
  { header, parts }: Checkpoint.Checkpoint
): { readonly text: string; readonly seal: Seal } => {
  const json = encodeHeader({ format, version, id, origin, checkpointKey, header })
  const seal = crcOf(json)
  const lines = parts.map((part, index) => lineOf(seal, { n: index + 1, durable: index, part }))
  return { text: `${hex(seal)} ${json}\n${lines.join("")}`, seal }
}

/** Makes the lines of parts that are written together behind `durable` others. */
export const extend = (seal: Seal, durable: number, parts: ReadonlyArray<UploadedPart>): string =>
  parts.map((part, index) => lineOf(seal, { n: durable + index + 1, durable, part })).join("")

/** Makes the line that ends a journal with `durable` records. */
export const finish = (seal: Seal, durable: number, receipt: Checkpoint.Receipt): string =>
  lineOf(seal, { n: durable + 1, durable, receipt })

const lineOf = (seal: Seal, record: Record) => {
  const json = encodeRecord(record)
  return `${hex(crcOf(json) ^ seal)} ${json}\n`
}

const crcOf = (json: string) => Crc64.of(encoder.encode(json))
const hex = (crc: bigint) => crc.toString(16).padStart(16, "0")

/** Reads a journal that may have been cut short or damaged. */
export const recover = (bytes: Uint8Array): Result.Result<Journal, Damaged | UnknownVersion> =>
  Result.gen(function* () {
    const end = bytes.indexOf(newline)
    const { json, seal } = yield* headerJson(end === -1 ? undefined : bytes.subarray(0, end))
    const { checkpointKey, origin, header } = yield* Result.mapError(decodeHeader(json), () =>
      whyNot(json)
    )
    const { parts, receipt } = yield* recoverRecords(seal, bytes.subarray(end + 1))
    return { checkpointKey, origin, checkpoint: Checkpoint.make(header, parts), receipt }
  })

const whyNot = (json: string) =>
  Result.match(decodeFormat(json), {
    onFailure: () => notOurs,
    onSuccess: (known) =>
      known.version === version ? notOurs : new UnknownVersion({ version: String(known.version) })
  })

const newline = 10

/** Reads records line by line. After the first bad line it only looks for proof of damage. */
const recoverRecords = (seal: Seal, bytes: Uint8Array) => {
  const parts: Array<UploadedPart> = []
  let receipt = Option.none<Checkpoint.Receipt>()
  let good = 0
  let lines = 0
  let start = 0
  // A line without its newline is torn.
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
    if (++lines > maxRecords) {
      return Result.fail(damaged(`it has more than ${maxRecords} records`))
    }
    const record = recordOf(seal, bytes.subarray(start, end))
    start = end + 1
    if (good === lines - 1 && record?.n === lines) {
      good = lines
      if (record.part !== undefined) parts.push(record.part)
      receipt = Option.fromUndefinedOr(record.receipt)
    } else if (record !== undefined && record.durable > good) {
      return Result.fail(damaged(`record ${good + 1} is damaged, and more were written behind it`))
    }
  }
  return Result.succeed({ parts, receipt })
}

const checkSumLength = 17

const headerJson = (line: Uint8Array | undefined) => {
  if (line === undefined) return Result.fail(damaged("its first line is missing or cut short"))
  const json = line.subarray(checkSumLength)
  const seal = Crc64.of(json)
  return startsWith(line, seal)
    ? Result.succeed({ json: decoder.decode(json), seal })
    : Result.fail(damaged("its first line does not match its check sum"))
}

const recordOf = (seal: Seal, line: Uint8Array): Record | undefined => {
  if (line.length <= checkSumLength || line.length > maxRecordBytes) return undefined
  const json = line.subarray(checkSumLength)
  return startsWith(line, Crc64.of(json) ^ seal)
    ? Result.getOrUndefined(decodeRecord(decoder.decode(json)))
    : undefined
}

const startsWith = (line: Uint8Array, crc: bigint) =>
  decoder.decode(line.subarray(0, checkSumLength)) === `${hex(crc)} `

const damaged = (description: string) => new Damaged({ description })

const notOurs = damaged("it is not in this library's format")
