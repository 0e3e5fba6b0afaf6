/** Policies for a whole program: two megabytes a second, eight parts and twenty retries for all uploads together. */
import { Bandwidth, CheckpointStore, OssClient, RetryPolicy, Upload } from "@effect-oss/core"
import { Source, UploadDefaults } from "@effect-oss/core"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Duration, Effect, Layer, Schedule } from "effect"

const client = OssClient.layerConfig().pipe(
  Bandwidth.limited,
  Layer.provide(Bandwidth.layer({ bytesPerSecond: 2_000_000 }))
)

const policies = UploadDefaults.layer({
  /** A throttled bucket is waited for; a broken network is not trusted for long. */
  retry: RetryPolicy.byReason({
    Throttled: Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 30 })),
    Transport: RetryPolicy.backoff({ attempts: 3, cap: "5 seconds" })
  }),
  retryBudget: RetryPolicy.budgetUnsafe(20),
  parts: 8,
  /** Streams, sinks and URLs wait rather than take more than this together. */
  memory: 256 * 1024 * 1024
})

export const program = Effect.gen(function* () {
  const upload = (key: string) => Effect.timed(Upload.upload({ key, source: Source.file(key) }))
  const files = ["a.bin", "b.bin"]
  for (const [took, { key }] of yield* Effect.forEach(files, upload, { concurrency: 2 })) {
    yield* Console.log(`${key}: ${Duration.toSeconds(took).toFixed(1)} s`)
  }
})

if (import.meta.main) {
  program.pipe(
    Effect.provide([client, CheckpointStore.layerMemory, policies]),
    Effect.provide([NodeOssHttp.layer(), NodeServices.layer]),
    NodeRuntime.runMain
  )
}
