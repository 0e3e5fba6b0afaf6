/**
 * How requests are made: as is asked for with one of them, else as the program
 * asked once for all, else as this library has it.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { OssClient } from "../../OssClient.ts"
import * as RetryPolicy from "../../RetryPolicy.ts"
import type { Requests } from "./request.ts"
import * as Retry from "./retry.ts"
import type * as Slots from "../slots/slots.ts"
import type { Memory } from "../source/memory.ts"

/** How the requests of one upload are made. */
export interface Policies {
  readonly retry?: RetryPolicy.RetryPolicy | undefined
  readonly retryBudget?: RetryPolicy.Budget | undefined
  readonly stallTimeout?: Duration.Input | undefined
}

/** What a program asked for once. */
export interface Defaults extends Policies {
  readonly concurrency?: number | undefined
  /** Of all uploads. */
  readonly slots?: Slots.Share | undefined
  /** Of all uploads. */
  readonly memory?: Memory | undefined
}

export const Current: Context.Reference<Defaults> = Context.Reference<Defaults>(
  "@effect-oss/core/UploadDefaults",
  { defaultValue: () => ({}) }
)

/** Nothing may move for so long. */
const stallTimeout = Duration.seconds(30)

/** What the requests of one upload, or of one `uploadAll`, have together unless they are given a budget. */
export const sharedBudget = 100

/** How requests about one key are made. */
export const requestsFor = Effect.fnUntraced(function* (
  asked: Policies & { readonly key: string },
  onRetry: (retry: Retry.Retry) => Effect.Effect<void> = () => Effect.void
): Effect.fn.Return<Requests, never, OssClient> {
  const defaults = yield* Current
  return {
    client: yield* OssClient,
    key: asked.key,
    stallTimeout: Duration.fromInputUnsafe(
      asked.stallTimeout ?? defaults.stallTimeout ?? stallTimeout
    ),
    retrying: Retry.make({
      policy: asked.retry ?? defaults.retry ?? RetryPolicy.standard,
      budget: asked.retryBudget ?? defaults.retryBudget ?? RetryPolicy.budgetUnsafe(sharedBudget),
      onRetry
    })
  }
})
