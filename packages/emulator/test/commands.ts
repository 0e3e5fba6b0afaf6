/** Commands to the state machine, as short as tests want them. */
import { Crc64 } from "@effect-oss/core"
import { Result } from "effect"
import { createHash } from "node:crypto"
import { apply } from "../src/internal/state/apply.ts"
import * as Bucket from "../src/internal/state/model.ts"
import type { Refusal } from "../src/EmulatorError.ts"

export const KiB = 1024

/** A blob of equal bytes. */
export const blob = (id: string, size = 100 * KiB, byte = 0): Bucket.Blob => {
  const bytes = new Uint8Array(size).fill(byte)
  return {
    id,
    size,
    md5: createHash("md5").update(bytes).digest("hex").toUpperCase(),
    crc64: Crc64.of(bytes)
  }
}

export const etag = (part: Bucket.Blob) => Bucket.quote(part.md5)
export const where = { bucket: "bucket", key: "k", uploadId: "u" }
export const options = { headers: {}, forbidOverwrite: false, now: 0 }

export const create: Bucket.Command = { _tag: "CreateBucket", bucket: "bucket", now: 0 }
export const initiate = (uploadId = "u", key = "k"): Bucket.Command => ({
  _tag: "Initiate",
  ...where,
  ...options,
  sequential: false,
  uploadId,
  key
})
export const uploadPart = (number: number, part: Bucket.Blob, uploadId = "u"): Bucket.Command => ({
  _tag: "UploadPart",
  ...where,
  uploadId,
  number,
  blob: part,
  now: 0
})
export const complete = (
  parts: ReadonlyArray<{ readonly number: number; readonly etag: string }> | null,
  forbidOverwrite = false
): Bucket.Command => ({ _tag: "Complete", ...where, ...options, parts, forbidOverwrite })
export const put = (part: Bucket.Blob, forbidOverwrite = false, key = "k"): Bucket.Command => ({
  _tag: "Put",
  ...where,
  ...options,
  symlink: false,
  key,
  blob: part,
  forbidOverwrite
})

export const sequential: Bucket.Command = {
  _tag: "Initiate",
  ...where,
  ...options,
  sequential: true
}
export const append = (part: Bucket.Blob, position: number): Bucket.Command => ({
  _tag: "Append",
  ...where,
  position,
  blob: part,
  headers: {},
  now: 0
})
export const describeTags = (tags: string | null): Bucket.Command => ({
  _tag: "Describe",
  ...where,
  headers: { "x-oss-tagging": tags }
})
export const deleteBucket: Bucket.Command = { _tag: "DeleteBucket", bucket: "bucket" }

/** All must succeed. Gives the last state and the ids of all freed blobs. */
export const runAll = (commands: ReadonlyArray<Bucket.Command>) => {
  const freed: Array<string> = []
  const state = commands.reduce((state, command) => {
    const change = Result.getOrThrow(apply(state, command))
    freed.push(...change.freed.map(({ id }) => id))
    return change.state
  }, Bucket.empty)
  return { state, freed }
}

export const codeOf = (result: Result.Result<unknown, Refusal>): string =>
  Result.match(result, { onSuccess: () => "done", onFailure: ({ code }) => code })

/** What becomes of the last command. */
export const last = (commands: ReadonlyArray<Bucket.Command>): string =>
  codeOf(apply(runAll(commands.slice(0, -1)).state, commands.at(-1)!))

export const [one, two, three] = [blob("1"), blob("2", 100 * KiB, 1), blob("3", 1, 2)]
export const uploaded = [
  create,
  initiate(),
  uploadPart(1, one),
  uploadPart(2, two),
  uploadPart(4, three)
]
export const list = (...parts: ReadonlyArray<readonly [number, Bucket.Blob]>) =>
  parts.map(([number, part]) => ({ number, etag: etag(part) }))
