import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Option, Result, Schema } from "effect"
import { Checkpoint, CheckpointStore, Crc64 } from "@effect-oss/core"
import type { Part } from "@effect-oss/core"
import { header, part, parts } from "../../../core/test/support/CheckpointStoreContract.ts"
import * as Journal from "../../src/internal/journal.ts"

const origin = { host: "web-1", boot: "b", machine: "m", inode: "42" }

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** The journal of `groups` of parts, each group written and synced together. */
const journal = (groups: ReadonlyArray<ReadonlyArray<Part.UploadedPart>>, id = "id") => {
  const { text, seal } = Journal.begin(
    { id, origin, checkpointKey: "key" },
    { header: header(), parts: [] }
  )
  let durable = 0
  const texts = groups.map((group) => {
    const text = Journal.extend(seal, durable, group)
    durable += group.length
    return text
  })
  return { bytes: bytesOf(text + texts.join("")), headerLength: bytesOf(text).length, texts }
}

const recovered = (bytes: Uint8Array) =>
  Result.map(Journal.recover(bytes), ({ checkpoint }) => checkpoint.parts)

const line = (json: unknown) => {
  const text = JSON.stringify(json)
  return bytesOf(`${Crc64.of(bytesOf(text)).toString(16).padStart(16, "0")} ${text}\n`)
}

const assertDamaged = (bytes: Uint8Array, what: string) => {
  const result = recovered(bytes)
  assert.isTrue(Result.isFailure(result) && result.failure._tag === "Damaged", what)
}

const six = parts(6)
const alone = journal(six.map((part) => [part]))

describe("a journal", () => {
  it("is recovered as it was written", () => {
    assert.deepStrictEqual(
      Journal.recover(alone.bytes),
      Result.succeed({
        checkpointKey: "key",
        origin,
        checkpoint: { header: header(), parts: six },
        receipt: Option.none()
      })
    )
  })

  it.prop(
    "is recovered as it was written, whatever it holds",
    {
      key: Arbitrary.schema(Schema.String),
      origin: Arbitrary.schema(Journal.Origin),
      receipt: Arbitrary.schema(Schema.Option(Checkpoint.Receipt)),
      header: Arbitrary.schema(Checkpoint.Header),
      before: Arbitrary.array(Arbitrary.schema(Checkpoint.PartRecord), { maxLength: 5 }),
      after: Arbitrary.array(Arbitrary.schema(Checkpoint.PartRecord), { maxLength: 5 })
    },
    ({ key, origin, header, receipt: drawn, before, after }) => {
      // JSON has one zero only.
      const receipt = Option.map(drawn, (receipt) => ({
        ...receipt,
        completedAt: receipt.completedAt + 0
      }))
      const { text, seal } = Journal.begin(
        { id: "id", origin, checkpointKey: key },
        { header, parts: before }
      )
      const end = Option.match(receipt, {
        onNone: () => "",
        onSome: (receipt) => Journal.finish(seal, before.length + after.length, receipt)
      })
      const bytes = bytesOf(text + Journal.extend(seal, before.length, after) + end)
      const checkpoint = Checkpoint.make(header, [...before, ...after])
      assert.deepStrictEqual(
        Journal.recover(bytes),
        Result.succeed({ checkpointKey: key, origin, checkpoint, receipt })
      )
    },
    { arbitrary: { runs: 100, seed: 1 } }
  )

  it("gives the parts before the cut, wherever it is cut", () => {
    for (let length = 0; length < alone.bytes.length; length++) {
      const result = recovered(alone.bytes.subarray(0, length))
      if (length < alone.headerLength) {
        assert.isTrue(Result.isFailure(result), `cut at ${length}`)
        continue
      }
      let whole = 0
      let end = alone.headerLength
      for (const text of alone.texts) if ((end += bytesOf(text).length) <= length) whole++
      assert.deepStrictEqual(result, Result.succeed(six.slice(0, whole)), `cut at ${length}`)
    }
  })

  it("drops garbage behind its end", () => {
    for (const garbage of ["\n", "\0".repeat(4096), "0123456789abcdef {}\n", "\n\n\n", "x"]) {
      const bytes = new Uint8Array([...alone.bytes, ...bytesOf(garbage)])
      assert.deepStrictEqual(recovered(bytes), Result.succeed(six), JSON.stringify(garbage))
    }
  })

  it("is damaged, or gives the parts before, wherever one bit is flipped", () => {
    const { bytes } = alone
    const lastLine = bytes.length - bytesOf(alone.texts[5]!).length
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const behindWhole = (bit >> 3) - (lastLine - 1)
      if (behindWhole < 0) {
        assertDamaged(flipped, `bit ${bit}`)
      } else {
        // The end of the line before the last joins the two.
        const whole = behindWhole === 0 ? 4 : 5
        assert.deepStrictEqual(
          recovered(flipped),
          Result.succeed(six.slice(0, whole)),
          `bit ${bit}`
        )
      }
    }
  })

  it("gives only parts that were appended, as they were, when a few of its bytes are overwritten", () => {
    const { bytes } = journal([parts(2), [part(3)], [part(4), part(5), part(6)]])
    for (let at = 0; at < bytes.length; at++) {
      for (const length of [1, 17, 200]) {
        const result = recovered(bytes.slice().fill(0, at, at + length))
        if (Result.isFailure(result)) continue
        assert.deepStrictEqual(result.success, six.slice(0, result.success.length))
      }
    }
  })

  it("drops a group that was written at once and reached the disk in part", () => {
    const { bytes, headerLength, texts } = journal([parts(2), [part(3), part(4), part(5)]])
    const group = headerLength + bytesOf(texts[0]!).length
    const hole = bytes.slice().fill(0, group + 10, group + 40)
    assert.deepStrictEqual(recovered(hole), Result.succeed(parts(2)))
  })

  it("is damaged if a later group knew the damaged one to be durable", () => {
    const { bytes, headerLength } = journal([parts(2), [part(3), part(4)], [part(5)]])
    assertDamaged(bytes.slice().fill(0, headerLength + 10, headerLength + 40), "first group")
  })

  it("is damaged if a record in the middle is missing, doubled or out of place", () => {
    const text = new TextDecoder().decode(alone.bytes).split("\n")
    for (const lines of [
      text.toSpliced(3, 1),
      text.toSpliced(3, 0, text[3]!),
      text.toSpliced(3, 2, text[4]!, text[3]!)
    ]) {
      assertDamaged(bytesOf(lines.join("\n")), lines.map((line) => line.slice(17, 30)).join())
    }
  })

  it("is damaged if a record is damaged that was carried over from an earlier journal", () => {
    const { text } = Journal.begin(
      { id: "id", origin, checkpointKey: "key" },
      { header: header(), parts: six }
    )
    const bytes = bytesOf(text)
    assertDamaged(bytes.slice().fill(0, alone.headerLength + 10, alone.headerLength + 20), "part 1")
  })

  it("takes no record of another journal for its own", () => {
    const other = journal(
      six.map((part) => [part]),
      "another id"
    )
    const bytes = new Uint8Array([
      ...alone.bytes.subarray(0, alone.headerLength),
      ...other.bytes.subarray(other.headerLength)
    ])
    assert.deepStrictEqual(
      Result.getOrElse(recovered(bytes), () => []),
      []
    )
  })

  it("is damaged if it goes on for ever in empty lines", () => {
    const lines = new Uint8Array(alone.bytes.length + 100_000).fill(10)
    lines.set(alone.bytes)
    assertDamaged(lines, "more lines than any upload has")
  })

  it("is of an unknown version if a newer library wrote it", () => {
    const bytes = line({ format: "effect-oss checkpoint", version: 2, new: true })
    assert.deepStrictEqual(
      Result.flip(recovered(bytes)),
      Result.succeed(new CheckpointStore.UnknownVersion({ version: "2" }))
    )
  })

  it("is damaged, and says how, if it is empty or something else", () => {
    const foreign = [
      new Uint8Array(),
      bytesOf("\n"),
      bytesOf('{"checkpoint":{}}'),
      bytesOf("#!/bin/sh\nrm -rf build\n"),
      line({ format: "another format", version: 1 }),
      line({ format: "effect-oss checkpoint", version: 1 }),
      line({ format: "effect-oss checkpoint", version: "1" }),
      line(null)
    ]
    for (const bytes of foreign) {
      const error = Result.getOrThrow(Result.flip(recovered(bytes)))
      assert.strictEqual(error._tag, "Damaged")
      assert.match(error._tag === "Damaged" ? error.description : "", /^its? /)
    }
  })
})
