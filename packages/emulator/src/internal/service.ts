/** The service that tests use. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Stream from "effect/Stream"
import type { EmulatedUpload, OssEmulator } from "../OssEmulator.ts"
import type { Exchange } from "./exchange.ts"
import { type OpenUpload, quote } from "./state/model.ts"
import type { Verbs } from "./verbs.ts"

export const service = (options: {
  readonly url: string
  readonly verbs: Verbs
  readonly exchange: Exchange
}): OssEmulator["Service"] => {
  const { url, verbs, exchange } = options
  return {
    url,
    inject: (...faults) => exchange.inject(faults),
    clearFaults: exchange.clearFaults,
    log: exchange.log,
    inFlight: exchange.inFlight,
    object: (bucket, key) =>
      verbs.head({ bucket, key }).pipe(
        Effect.map((object) => {
          const stream = verbs.read(object, { start: 0, end: object.size })
          const { size, etag, crc64, headers } = object
          return { key, size, etag, crc64, headers, stream, bytes: Stream.mkUint8Array(stream) }
        }),
        Effect.option
      ),
    uploads: (bucket) =>
      verbs.openUploads(bucket).pipe(
        Effect.map((uploads) => uploads.sort(byId).map(emulatedUpload)),
        Effect.orElseSucceed(() => [])
      ),
    removePart: verbs.removePart,
    abortUpload: verbs.abort,
    deleteObject: (bucket, key) =>
      Effect.asVoid(verbs.remove({ now: Clock.currentTimeMillis }, { bucket, key }))
  }
}

const byId = (a: OpenUpload, b: OpenUpload) => (a.uploadId < b.uploadId ? -1 : 1)

const emulatedUpload = (upload: OpenUpload): EmulatedUpload => {
  const { key, uploadId, initiated, headers } = upload
  const parts = HashMap.toValues(upload.parts)
    .sort((a, b) => a.number - b.number)
    .map(({ number, blob: { size, md5, crc64 } }) => ({ number, size, etag: quote(md5), crc64 }))
  return { key, uploadId, initiated, headers, parts }
}
