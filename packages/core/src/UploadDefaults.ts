/**
 * What is asked for once, for all uploads of a program.
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

/** What holds where a request doesn't say otherwise. */
interface Options extends Pick<
  UploadRequest,
  "concurrency" | "retry" | "retryBudget" | "stallTimeout"
> {
  /** How many parts of all uploads together are on their way at once, at least 1; a slot that becomes free goes to the next upload in turn, and an upload that doesn't say how many it wants takes all that are free. Default: no such limit. */
  readonly parts?: number | undefined
  /**
   * A number of bytes, or a text such as `"64 MiB"`, at least 256 KiB: the memory that the parts of all
   * streams, sinks and URLs have together. An upload that finds too little waits
   * until others give some back, and its stream waits with it. Parts of files
   * take none of it. Default: each upload has its own, see `Source.stream`.
   */
  readonly memory?: Length | undefined
}

/**
 * Policies for all uploads that this layer is provided to, whether by `upload`,
 * `events`, `sink`, `uploadAll` or step by step, and for `abort` and `sweep`. A
 * request's own options win; `parts` holds besides them. Of two such layers the
 * inner one counts, as a whole. A limit of bandwidth belongs to the client:
 * `Bandwidth.limited`.
 *
 * **Example** (a program that is patient, and modest)
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
