/**
 * How requests are made. Each option is that of the request, else that of
 * `UploadDefaults`, else this library's default.
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

/** The options that a program sets once for all uploads. */
export interface Defaults extends Policies {
  readonly concurrency?: number | undefined
  /** Shared by all uploads. */
  readonly slots?: Slots.Share | undefined
  /** Shared by all uploads. */
  readonly memory?: Memory | undefined
}

export const Current: Context.Reference<Defaults> = Context.Reference<Defaults>(
  "@effect-oss/core/UploadDefaults",
  { defaultValue: () => ({}) }
)

/** How long a transfer may make no progress. */
const stallTimeout = Duration.seconds(30)

/** The retries that all requests of one upload, or of one `uploadAll`, share by default. */
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
