/** The steps of a job, on the runner that executes them. */
import * as MultipartUpload from "@effect-oss/core/internal/upload/multipart"
import * as RetryPolicy from "@effect-oss/core/RetryPolicy"
import { OssClient } from "@effect-oss/core/OssClient"
import * as Effect from "effect/Effect"
import * as Locate from "./locate.ts"
import type { Job } from "./uploadWorkflow.ts"
import { Roots } from "./roots.ts"
import * as SubmittedSource from "./submittedSource.ts"
import { Targets } from "./targets.ts"

/** Opens the source, checks that it is the one that the job was made for, and gets a client of its bucket. */
export const open = Effect.fnUntraced(function* (
  job: Pick<Job, "bucket" | "key" | "source" | "fingerprint"> & Partial<Pick<Job, "options">>
) {
  const { bucket, key, fingerprint, options } = job
  const client = yield* (yield* Targets).client({ bucket, key })
  const source = yield* (yield* Roots).open(job.source)
  const sourceName = Locate.nameOf(job.source)
  const comparison = yield* SubmittedSource.recognized(fingerprint, source, sourceName)
  // `patiently` waits for outages, in a way that outlives this runner.
  const retry = RetryPolicy.backoff()
  const steps = yield* MultipartUpload.open({ key, source, sourceName, options, retry }).pipe(
    Effect.provideService(OssClient, client)
  )
  /** Only the inode differs, as at another mount. Parts that other runners sent must be compared. */
  const isRemounted = comparison === "compare"
  return { ...steps, client, source, isRemounted }
})
