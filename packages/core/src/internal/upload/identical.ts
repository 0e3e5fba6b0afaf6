/**
 * Finds out whether the stored object already has the source's content, so that
 * nothing has to be sent.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { CheckpointError } from "../../CheckpointStore.ts"
import * as Crc64 from "../../Crc64.ts"
import type { OssError } from "../../OssError.ts"
import type { ObjectHead } from "../../OssModel.ts"
import type { Opened, SourceError } from "../../Source.ts"
import { abort } from "./initiate.ts"
import type { Session } from "./session.ts"
import type { Stored } from "./settle.ts"
import { headOf } from "./settle.ts"
import * as Slice from "../source/slice.ts"

/**
 * The stored object, if it has the source's size and CRC64, or if it has the size
 * and the function `skip` accepts it. None if OSS returns no CRC64. The source is
 * read only if the sizes are equal and `skip` is true. If the object is identical,
 * an unfinished upload of an earlier run is aborted.
 */
export const identical = Effect.fnUntraced(function* (
  session: Session,
  skip: true | ((stored: ObjectHead) => boolean)
): Effect.fn.Return<Option.Option<Stored>, OssError | SourceError | CheckpointError> {
  const { log, source } = session
  const head = yield* headOf(session)
  if (Option.isNone(head) || Option.isNone(head.value.crc64)) return Option.none()
  const { size, etag, crc64 } = head.value
  if (source.size !== size) return Option.none()
  const isIdentical = skip === true ? (yield* crc64Of(source)) === crc64.value : skip(head.value)
  if (!isIdentical) return Option.none()
  const recovered = Option.flatMap(log, ({ recovered }) => recovered)
  if (Option.isSome(recovered)) yield* abort(session, recovered.value.header.uploadId)
  const verified = skip === true
  return Option.some({ size, etag, crc64: crc64.value, verified, versionId: Option.none() })
})

/** CRC-64/XZ of all bytes of a source. Reads the source once. */
export const crc64Of = (source: Opened): Effect.Effect<bigint, SourceError> =>
  source._tag === "RandomAccess"
    ? Slice.crc64(source, 0, source.size)
    : Stream.runFold(
        source.bytes,
        () => 0n,
        (crc64, piece) => Crc64.of(piece, crc64)
      )
