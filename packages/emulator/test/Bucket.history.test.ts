import { assert, it } from "@effect/vitest"
import { Arbitrary, HashMap, Result, Schema } from "effect"
import { apply } from "../src/internal/state/apply.ts"
import * as Bucket from "../src/internal/state/model.ts"
import { blobIds, findObject, findUpload } from "../src/internal/state/queries.ts"
import {
  KiB,
  complete,
  create,
  initiate,
  one,
  options,
  runAll,
  uploadPart,
  where
} from "./commands.ts"

/** One step of a history: small choices, so that steps meet. */
const Step = Schema.Struct({
  what: Schema.Literals([
    "Initiate",
    "UploadPart",
    "Complete",
    "Abort",
    "Put",
    "Append",
    "Delete",
    "DeleteVersion",
    "Configure",
    "RemovePart"
  ]),
  key: Schema.Literals(["a", "b"]),
  uploadId: Schema.Literals(["u", "v"]),
  number: Schema.Literals([1, 2, 3]),
  size: Schema.Literals([0, 1, 100 * KiB])
})

const commandOf = (step: typeof Step.Type, index: number): Bucket.Command => {
  const { what, key, uploadId, number, size } = step
  const place = { bucket: "bucket", key }
  const part = { id: String(index), size, md5: String(size), crc64: BigInt(size) }
  const version = { newVersionId: String(index) }
  switch (what) {
    case "Initiate":
      // An upload id is never given twice, and belongs to one key.
      return { _tag: what, ...place, ...options, sequential: false, uploadId: `${uploadId}${key}` }
    case "UploadPart":
      return { _tag: what, ...place, uploadId: `${uploadId}${key}`, number, blob: part, now: 0 }
    case "Complete":
      return {
        _tag: what,
        ...place,
        ...options,
        ...version,
        uploadId: `${uploadId}${key}`,
        parts: null
      }
    case "Abort":
      return { _tag: what, ...place, uploadId: `${uploadId}${key}` }
    case "RemovePart":
      return { _tag: what, ...place, uploadId: `${uploadId}${key}`, number }
    case "Put":
      return { _tag: what, ...place, ...options, ...version, symlink: false, blob: part }
    case "Append":
      return { _tag: what, ...place, position: 0, blob: part, headers: {}, now: 0 }
    case "Delete":
      return { _tag: what, ...place, ...version }
    case "DeleteVersion":
      return { _tag: "Delete", ...place, versionId: number === 1 ? "null" : String(index - number) }
    case "Configure":
      return {
        _tag: "ConfigureBucket",
        bucket: "bucket",
        versioning: number === 1 ? "Suspended" : "Enabled"
      }
  }
}

it.prop(
  "each blob is either referred to or freed, exactly once, whatever happens",
  { steps: Arbitrary.array(Arbitrary.schema(Step), { maxLength: 40 }) },
  ({ steps }) => {
    let state = Result.getOrThrow(apply(Bucket.empty, create)).state
    const begun = new Set<string>()
    const kept: Array<string> = []
    const freed: Array<string> = []
    for (const [index, step] of steps.entries()) {
      const command = commandOf(step, index)
      if (command._tag === "Initiate") {
        if (begun.has(command.uploadId)) continue
        begun.add(command.uploadId)
      }
      const change = apply(state, command)
      if (Result.isFailure(change)) continue
      state = change.success.state
      if ("blob" in command) kept.push(command.blob.id)
      freed.push(...change.success.freed.map(({ id }) => id))
    }
    assert.deepStrictEqual([...blobIds(state), ...freed].sort(), kept.sort())
  },
  { arbitrary: { runs: 300, seed: 1 } }
)

it("10,000 parts cost little more each than the first", () => {
  const part = { id: "x", size: 100 * KiB, md5: "M", crc64: 1n }
  const numbers = Array.from({ length: 10_000 }, (_, index) => index + 1)
  const { state } = runAll([create, initiate(), ...numbers.map((n) => uploadPart(n, part))])
  const [, upload] = Result.getOrThrow(findUpload(state, where))
  assert.strictEqual(HashMap.size(upload.parts), 10_000)
  const object = Result.getOrThrow(apply(state, complete(null))).state
  assert.strictEqual(Result.getOrThrow(findObject(object, where)).size, 10_000 * 100 * KiB)
}, 5_000)

it("a command survives being written down", () => {
  const codec = Schema.fromJsonString(Schema.toCodecJson(Bucket.Command))
  const command = uploadPart(1, { ...one, crc64: 2n ** 64n - 1n })
  assert.deepStrictEqual(Schema.decodeSync(codec)(Schema.encodeSync(codec)(command)), command)
})
