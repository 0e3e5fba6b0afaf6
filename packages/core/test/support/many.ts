/** Requests for many uploads, and the time they take. */
import { Source } from "@effect-oss/core"
import type { Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { contentOf, partSize, requestFor } from "./world.ts"

/** Scripts faults. */
export const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.inject(...faults))

/** A file that goes up with one request. */
export const small = (key: string, options: Partial<Upload.UploadRequest> = {}) =>
  requestFor(contentOf(100, key.length), {
    key,
    source: Source.bytes(contentOf(100, key.length), key),
    ...options
  })

/** A file of so many whole parts. */
export const large = (key: string, parts: number, options: Partial<Upload.UploadRequest> = {}) =>
  requestFor(contentOf(0), {
    key,
    source: Source.bytes(contentOf(parts * partSize, parts), key),
    concurrency: 100,
    ...options
  })

/** Each transfer takes a second. */
export const slowly = inject(
  Fault.delay({ operation: "uploadPart", millis: 1_000, times: Infinity }),
  Fault.delay({ operation: "put", millis: 1_000, times: Infinity })
)

export const keysOf = (outcomes: ReadonlyArray<{ readonly request: { readonly key: string } }>) =>
  outcomes.map(({ request }) => request.key)
