/** The body of a form: `multipart/form-data` of RFC 7578, its last part a file. */
import * as Result from "effect/Result"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "./errors.ts"

export interface Form {
  /** The fields before the file, names in lower case. */
  readonly fields: Readonly<Record<string, string>>
  readonly file: Uint8Array
  readonly filename: string
  readonly contentType: string | undefined
}

const lineBreak = "\r\n"

export const parseForm = (type: string, body: Uint8Array): Result.Result<Form, Refusal> => {
  const [, quoted, plain] =
    /^multipart\/form-data;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type) ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined) return Result.fail(refuse("MalformedPOSTRequest"))
  const fields: Record<string, string> = {}
  for (const part of partsOf(Buffer.from(body), boundary)) {
    const end = part.indexOf(lineBreak + lineBreak)
    if (end < 0) break
    const head = part.subarray(0, end).toString()
    const content = part.subarray(end + 2 * lineBreak.length)
    const name = /\bname="([^"]*)"/.exec(head)?.[1]?.toLowerCase()
    if (name === undefined) break
    if (name !== "file") {
      fields[name] = content.toString()
      continue
    }
    return Result.succeed({
      fields,
      file: content,
      filename: /\bfilename="([^"]*)"/.exec(head)?.[1] ?? "",
      contentType: /^content-type: *(.+)$/im.exec(head)?.[1]?.trim()
    })
  }
  return Result.fail(
    refuse("MalformedPOSTRequest", "The body of your POST request has no file field.")
  )
}

/** The parts between two boundaries, without their line breaks. */
const partsOf = function* (body: Buffer, boundary: string): Generator<Buffer> {
  const mark = Buffer.from(`${lineBreak}--${boundary}`)
  const whole = Buffer.concat([Buffer.from(lineBreak), body])
  let start = whole.indexOf(mark)
  while (start >= 0) {
    const next = whole.indexOf(mark, start + mark.length)
    if (next < 0) return
    yield whole.subarray(start + mark.length + lineBreak.length, next)
    start = next
  }
}
