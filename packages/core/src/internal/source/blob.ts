/** A source behind a `Blob` or a `File`. */
import * as Effect from "effect/Effect"
import type { BlobLike, RandomAccessSource } from "../../Source.ts"
import { changed, unreadable } from "./errors.ts"
import * as Fingerprint from "./fingerprint.ts"
import { crc64 } from "./slice.ts"

export const make = (blob: BlobLike, name: string): RandomAccessSource => ({
  name,
  open: Effect.gen(function* () {
    const read = reader(blob, name)
    const { size, lastModified } = blob
    const fingerprint = Fingerprint.make({
      size,
      touched: lastModified,
      crc64: lastModified === undefined ? yield* crc64({ read }, 0, size) : undefined
    })
    return {
      _tag: "RandomAccess",
      id: `blob:${name}`,
      size,
      fingerprint,
      currentFingerprint: Effect.succeed(fingerprint),
      contentType: blob.type || undefined,
      read
    }
  })
})

/** A blob never changes. One whose file has changed can no longer be read. */
const reader = (blob: BlobLike, name: string) => (target: Uint8Array, offset: number) =>
  Effect.tryPromise({
    try: () => blob.slice(offset, offset + target.length).arrayBuffer(),
    catch: (cause) =>
      cause instanceof Error && /^Not(Readable|Found)Error$/.test(cause.name)
        ? changed(name, `the file behind it can no longer be read: ${cause.message}`)
        : unreadable(name, cause)
  }).pipe(
    Effect.filterOrFail(
      ({ byteLength }) => byteLength === target.length,
      () => changed(name, `it ends before byte ${offset + target.length}`)
    ),
    Effect.map((bytes) => target.set(new Uint8Array(bytes)))
  )
