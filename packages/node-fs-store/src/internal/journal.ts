/**
 * The text of a journal, and what can be recovered from it. Pure.
 *
 * A line is a check sum, a space and a JSON text. The first line is the header;
 * each further line is one part. The check sum is the CRC-64/XZ of the JSON's
 * bytes; in the lines after the first, the header's is XORed in, so that a
 * record of another journal, which a disk may bring up behind the end after a
 * power failure, is no record of this one.
 *
 * A part's line tells its place (`n`, from 1) and how many of the lines before
 * it were `durable` when it was written. That is what tells a torn tail from
 * damage: lines written together reach the disk in any order, so a bad line may
 * have good ones behind it and yet never have been acknowledged. Only a good
 * line that knew the bad one to be durable proves damage.
 */
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

const HeaderLine = Schema.fromJsonString(
  Schema.Struct({
    format: Schema.Literal(format),
    version: Schema.Literal(version),
    /** Differs from journal to journal. */
    id: Schema.String,
    checkpointKey: Schema.String,
    header: Checkpoint.Header
  })
)

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const PartLine = Schema.fromJsonString(
  Schema.Struct({ n: Count, durable: Count, part: Checkpoint.PartRecord })
)

const encodeHeader = Schema.encodeSync(HeaderLine)
const encodePart = Schema.encodeSync(PartLine)
const decodeFormat = Schema.decodeResult(Format)
const decodeHeader = Schema.decodeResult(HeaderLine)
const decodePart = Schema.decodeResult(PartLine)

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** What a journal holds. */
export interface Journal {
  readonly checkpointKey: string
  readonly checkpoint: Checkpoint.Checkpoint
}

/** The check sum of the header, which the lines after it are bound to. */
export type Seal = bigint

/** A journal as it begins: all its records are durable before anyone sees it. */
export const begin = (
  id: string,
  checkpointKey: string,
  { header, parts }: Checkpoint.Checkpoint
): { readonly text: string; readonly seal: Seal } => {
  const json = encodeHeader({ format, version, id, checkpointKey, header })
  const seal = crcOf(json)
  const lines = parts.map((part, index) => partLine(seal, index + 1, index, part))
  return { text: `${hex(seal)} ${json}\n${lines.join("")}`, seal }
}

/** Parts to be written at once behind `durable` others. */
export const extend = (seal: Seal, durable: number, parts: ReadonlyArray<UploadedPart>): string =>
  parts.map((part, index) => partLine(seal, durable + index + 1, durable, part)).join("")

const partLine = (seal: Seal, n: number, durable: number, part: UploadedPart) => {
  const json = encodePart({ n, durable, part })
  return `${hex(crcOf(json) ^ seal)} ${json}\n`
}

const crcOf = (json: string) => Crc64.of(encoder.encode(json))
const hex = (crc: bigint) => crc.toString(16).padStart(16, "0")

/** Reads a journal that may have been cut short or damaged. */
export const recover = (bytes: Uint8Array): Result.Result<Journal, Damaged | UnknownVersion> =>
  Result.gen(function* () {
    const [first, ...lines] = linesOf(bytes)
    const { json, seal } = yield* headerJson(first)
    const known = yield* Result.mapError(decodeFormat(json), () => notOurs)
    if (known.version !== version) {
      return yield* Result.fail(new UnknownVersion({ version: String(known.version) }))
    }
    const { checkpointKey, header } = yield* Result.mapError(decodeHeader(json), () => notOurs)
    const parts = yield* recoverParts(lines.map((line) => partOf(seal, line)))
    return { checkpointKey, checkpoint: Checkpoint.make(header, parts) }
  })

const recoverParts = (lines: ReadonlyArray<typeof PartLine.Type | undefined>) => {
  const bad = lines.findIndex((line, index) => line?.n !== index + 1)
  const good = bad === -1 ? lines : lines.slice(0, bad)
  return lines.slice(good.length).some((line) => line !== undefined && line.durable > good.length)
    ? Result.fail(damaged(`record ${bad + 1} is damaged, and more were written behind it`))
    : Result.succeed(good.flatMap((line) => (line === undefined ? [] : [line.part])))
}

/** A line without its end is torn, whatever it holds. */
const linesOf = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const lines: Array<Uint8Array> = []
  let start = 0
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
    lines.push(bytes.subarray(start, end))
    start = end + 1
  }
  return lines
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

const partOf = (seal: Seal, line: Uint8Array) => {
  const json = line.subarray(checkSumLength)
  return startsWith(line, Crc64.of(json) ^ seal)
    ? Result.getOrUndefined(decodePart(decoder.decode(json)))
    : undefined
}

const startsWith = (line: Uint8Array, crc: bigint) =>
  decoder.decode(line.subarray(0, checkSumLength)) === `${hex(crc)} `

const damaged = (description: string) => new Damaged({ description })

const notOurs = damaged("it is not in this library's format")
