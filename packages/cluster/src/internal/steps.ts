/** The steps of a job, on the runner that takes them. */
import * as MultipartUpload from "@effect-oss/core/internal/upload/multipart"
import * as RetryPolicy from "@effect-oss/core/RetryPolicy"
import { OssClient } from "@effect-oss/core/OssClient"
import * as Effect from "effect/Effect"
import * as Locate from "./locate.ts"
import type { Job } from "./uploadWorkflow.ts"
import { Roots } from "./roots.ts"
import * as SubmittedSource from "./submittedSource.ts"
import { Targets } from "./targets.ts"

/** Opens the source, which has to be what the job was made for, and takes a client of its bucket. */
export const open = Effect.fnUntraced(function* (
  job: Pick<Job, "bucket" | "key" | "source" | "fingerprint"> & Partial<Pick<Job, "options">>
) {
  const { bucket, key, fingerprint, options } = job
  const client = yield* (yield* Targets).client({ bucket, key })
  const source = yield* (yield* Roots).open(job.source)
  const sourceName = Locate.nameOf(job.source)
  const comparison = yield* SubmittedSource.recognized(fingerprint, source, sourceName)
  // An outage is waited for by `patiently`, in a way that outlives this runner.
  const retry = RetryPolicy.backoff()
  const steps = yield* MultipartUpload.open({ key, source, sourceName, options, retry }).pipe(
    Effect.provideService(OssClient, client)
  )
  /** Only its inode is another, as at another mount: what other runners sent is to be compared. */
  const isRemounted = comparison === "compare"
  return { ...steps, client, source, isRemounted }
})
