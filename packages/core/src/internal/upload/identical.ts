/**
 * Looks whether there is anything to do: an object that is the source already,
 * to the last bit, need not be sent.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { CheckpointError } from "../../CheckpointStore.ts"
import * as Crc64 from "../../Crc64.ts"
import type { OssError } from "../../OssError.ts"
import type { ObjectHead } from "../../OssModel.ts"
import type { SourceError } from "../../Source.ts"
import * as Source from "../../Source.ts"
import type { Session } from "./session.ts"
import { request } from "./session.ts"
import type { Stored } from "./complete.ts"
import * as UploadId from "./uploadId.ts"

/**
 * The stored object, if it has the source's size and CRC64, or what `skip` asks
 * for instead. The source is only read if the sizes agree. What an earlier run left of this upload is given up.
 */
export const find = Effect.fnUntraced(function* (
  session: Session,
  skip: true | ((stored: ObjectHead) => boolean)
): Effect.fn.Return<Option.Option<Stored>, OssError | SourceError | CheckpointError> {
  const { client, key, log } = session
  const head = yield* request(session, "head", client.head(key)).pipe(
    Effect.asSome,
    Effect.catchReason("OssError", "NoSuchKey", () => Effect.succeedNone),
    Effect.catchReason("OssError", "AccessDenied", () => Effect.succeedNone)
  )
  if (Option.isNone(head) || Option.isNone(head.value.crc64)) return Option.none()
  const { size, etag, crc64 } = head.value
  if (session.source.size !== size) return Option.none()
  const identical =
    skip === true ? (yield* crc64Of(session.source, size)) === crc64.value : skip(head.value)
  if (!identical) return Option.none()
  if (Option.isSome(log.recovered)) {
    yield* UploadId.giveUp(session, log.recovered.value.header)
  }
  return Option.some({
    size,
    etag,
    crc64: crc64.value,
    verified: skip === true,
    versionId: Option.none()
  })
})

const crc64Of = (source: Session["source"], size: number): Effect.Effect<bigint, SourceError> =>
  source._tag === "RandomAccess"
    ? Source.crc64(source, 0, size)
    : Stream.runFold(
        source.bytes,
        () => 0n,
        (crc64, piece) => Crc64.of(piece, crc64)
      )
