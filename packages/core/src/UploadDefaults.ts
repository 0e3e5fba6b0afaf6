/**
 * Options that you set once for all uploads of a program.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Defaults from "./internal/upload/defaults.ts"
import * as Fair from "./internal/slots/shared.ts"
import * as Memory from "./internal/source/memory.ts"
import { policies as wellFormedPolicies } from "./internal/upload/wellFormed.ts"
import type { Length } from "./Part.ts"
import { memorySize, positiveDuration, wholeNumber } from "./internal/upload/validate.ts"
import type { InvalidRequest } from "./UploadError.ts"
import type { UploadRequest } from "./UploadRequest.ts"

/** The options of every request that doesn't set its own. */
interface Options extends Pick<
  UploadRequest,
  "concurrency" | "retry" | "retryBudget" | "stallTimeout"
> {
  /** How many parts of all uploads together are sent at once, at least 1. A free slot goes to the next upload in turn. An upload without its own `concurrency` may take all free slots. Default: no limit. */
  readonly parts?: number | undefined
  /**
   * The memory for the parts of all streams, sinks and URLs together, as a
   * number of bytes or a text such as `"64 MiB"`: at least 256 KiB. An upload
   * that needs more waits until others release some, and its stream waits too.
   * Parts of files need no memory. Default: each upload has its own memory, see
   * `Source.stream`.
   */
  readonly memory?: Length | undefined
}

/**
 * Sets the defaults of all uploads below this layer, and of `abort` and `sweep`.
 * A request's own options win over the defaults. `parts` always limits all uploads
 * together. If you nest two of these layers, only the inner one counts. To limit
 * the bandwidth, wrap the client: see `Bandwidth.limited`.
 *
 * **Example** (more retries, and fewer parts at once)
 *
 * ```ts
 * import { CheckpointStore, OssClient, RetryPolicy } from "@effect-oss/core"
 * import { Source, Upload, UploadDefaults } from "@effect-oss/core"
 * import { Effect } from "effect"
 *
 * const policies = UploadDefaults.layer({
 *   retry: RetryPolicy.backoff({ attempts: 10, cap: "1 minute" }),
 *   retryBudget: RetryPolicy.budgetUnsafe(50),
 *   parts: 8
 * })
 * const upload = (key: string) => Upload.upload({ key, source: Source.file(key) })
 * const program = Effect.all([upload("a.tar"), upload("b.tar")], { concurrency: 2 }).pipe(
 *   Effect.provide([OssClient.layerConfig(), CheckpointStore.layerMemory, policies])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = ({
  parts,
  memory,
  ...policies
}: Options): Layer.Layer<never, InvalidRequest> =>
  Layer.effect(
    Defaults.Current,
    Effect.gen(function* () {
      yield* Effect.fromResult(wholeNumber("concurrency", policies.concurrency))
      yield* Effect.fromResult(wholeNumber("parts", parts))
      yield* Effect.fromResult(positiveDuration("stallTimeout", policies.stallTimeout))
      yield* Effect.fromResult(wellFormedPolicies(policies))
      const bytes = memory === undefined ? undefined : yield* Effect.fromResult(memorySize(memory))
      return {
        ...policies,
        slots: parts === undefined ? undefined : Fair.make(parts),
        memory: bytes === undefined ? undefined : Memory.make(bytes)
      }
    })
  )
