/** A source of bytes in memory. */
import * as Effect from "effect/Effect"
import * as Body from "../../Body.ts"
import * as Crc64 from "../../Crc64.ts"
import type { RandomAccessSource } from "../../Source.ts"
import * as Fingerprint from "./fingerprint.ts"

export const make = (content: Uint8Array, name: string): RandomAccessSource => ({
  name,
  open: Effect.sync(() => {
    const fingerprint = () => Fingerprint.make({ size: content.length, crc64: Crc64.of(content) })
    return {
      _tag: "RandomAccess",
      id: `bytes:${name}`,
      size: content.length,
      fingerprint: fingerprint(),
      currentFingerprint: Effect.sync(fingerprint),
      read: Body.fromBytes(content).read
    }
  })
})
