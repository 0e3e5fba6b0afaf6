/** `effect-oss stat`: shows the object of a key. */
import type { ObjectHead } from "@effect-oss/core/OssModel"
import { bytes, printable } from "@effect-oss/terminal/Text"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Connection } from "../connection.ts"
import { layerClient } from "../connection.ts"
import { isoTime } from "../isoTime.ts"
import { jsonLine } from "../json.ts"
import type { ObjectUrl } from "../ObjectUrl.ts"
import { Output } from "../Output.ts"
import * as Stored from "../stored.ts"

export interface Input extends Connection {
  readonly url: string
  readonly retryFor: string
  readonly json: boolean
}

export const run = Effect.fn("stat")(function* (input: Input) {
  const { out } = yield* Output
  const url = yield* Effect.fromResult(Stored.objectAt(input.url))
  const head = yield* Stored.lookingFor(input.retryFor).pipe(
    Effect.flatMap((look) => look(url.key)),
    Effect.provide(layerClient(url.bucket, input))
  )
  if (Option.isNone(head)) return yield* Stored.nothingAt(url)
  yield* out(input.json ? jsonOf(url, head.value) : textOf(url, head.value))
})

/** The ETag ends with the number of parts. */
const partsOf = ({ etag }: ObjectHead): number | undefined => {
  const [, count] = /-(\d+)"?$/.exec(etag) ?? []
  return count === undefined ? undefined : Number(count)
}

const dateOf = ({ lastModified }: ObjectHead): string | undefined =>
  lastModified === undefined ? undefined : isoTime(lastModified)

const jsonOf = ({ bucket, key }: ObjectUrl, head: ObjectHead): string => {
  const { size, etag, crc64, storageClass, type, contentType } = head
  const check = Option.getOrUndefined(Option.map(crc64, String))
  const more = { lastModified: dateOf(head), storageClass, type, parts: partsOf(head), contentType }
  return jsonLine({ _tag: "Object", bucket, key, size, etag, crc64: check, ...more })
}

const textOf = ({ bucket, key }: ObjectUrl, head: ObjectHead): string => {
  const { size, etag, crc64, storageClass, type, contentType } = head
  const parts = partsOf(head)
  const count = parts === undefined ? "" : `, ${parts} ${parts === 1 ? "part" : "parts"}`
  const rows: ReadonlyArray<readonly [string, string | undefined]> = [
    ["size", `${size} bytes${size < 1024 ? "" : ` (${bytes(size)})`}`],
    ["CRC64", Option.getOrElse(Option.map(crc64, String), () => "none")],
    ["ETag", etag],
    ["modified", dateOf(head)],
    ["class", storageClass],
    ["made as", type === undefined ? undefined : `${type}${count}`],
    ["content type", contentType]
  ]
  const lines = rows.flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${name.padEnd(12)}  ${printable(value)}\n`]
  )
  return `${printable(`oss://${bucket}/${key}`)}\n${lines.join("")}`
}
