/**
 * What many uploads share: slots, a retry budget, the keys in use, and the refusals
 * that concern all of them.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { OssError } from "../../OssError.ts"
import * as RetryPolicy from "../../RetryPolicy.ts"
import { InvalidRequest } from "../../UploadError.ts"
import type { UploadEvent } from "../../UploadEvent.ts"
import type { UploadRequest } from "../../UploadRequest.ts"
import * as SharedSlots from "../slots/shared.ts"
import * as Slots from "../slots/slots.ts"
import * as Defaults from "./defaults.ts"
import { run } from "./run.ts"
import { wholeNumber } from "./validate.ts"

export interface Options {
  readonly concurrency?: number | undefined
  readonly parts?: number | undefined
  readonly skipIdentical?: UploadRequest["skipIdentical"]
  readonly repeatedKeys?: "fail" | "allow" | undefined
}

interface Reporting {
  readonly report: (event: UploadEvent) => Effect.Effect<void>
  readonly sampling?: Duration.Duration
}
import { wellFormed } from "./wellFormed.ts"

/** Returns the function that runs one request, and how many requests to run at once. */
export const make = Effect.fnUntraced(function* ({
  concurrency = 20,
  parts = 10,
  skipIdentical,
  repeatedKeys = "fail"
}: Options) {
  yield* Effect.fromResult(wholeNumber("concurrency", concurrency))
  yield* Effect.fromResult(wholeNumber("parts", parts))
  const defaults = yield* Defaults.Current
  const own = SharedSlots.make(parts)
  const slots = defaults.slots === undefined ? own : Slots.both(own, defaults.slots)
  const retryBudget = defaults.retryBudget ?? (yield* RetryPolicy.budget(Defaults.sharedBudget))
  const claim = repeatedKeys === "fail" ? claims() : () => Effect.void
  /** The same source. It claims its key once it is open. */
  const claimed = <E, R>({ key, source }: UploadRequest<E, R>) => {
    const { name, open } = source
    const id = {}
    return { name, open: Effect.tap(open, () => claim(key, { name, id })) }
  }
  const refusals = makeRefusals()
  const one = <E, R>(request: UploadRequest<E, R>, reporting: Reporting) =>
    Effect.suspend(() =>
      Effect.flatMap(Effect.fromResult(wellFormed(request)), () => sharing(request, reporting))
    )
  const sharing = <E, R>(request: UploadRequest<E, R>, reporting: Reporting) => {
    const shared: UploadRequest<E | InvalidRequest, R> = {
      ...request,
      source: claimed(request),
      retryBudget: request.retryBudget ?? retryBudget,
      skipIdentical: request.skipIdentical ?? skipIdentical
    }
    return Effect.tap(run(shared, { ...reporting, slots }), () => Effect.sync(refusals.succeeded))
  }
  return { concurrency, one, concernsAll: refusals.concernsAll }
})

/** The source of a request. Its `id` recognizes it when it is opened again. */
interface Claimant {
  readonly name: string
  readonly id: object
}

/**
 * Gives each key to one source of the run. Keys that are equal in Unicode count as
 * one: most file systems and people can't tell them apart.
 */
const claims = () => {
  const owners = new Map<string, Claimant>()
  return (key: string, claimant: Claimant): Effect.Effect<void, InvalidRequest> =>
    Effect.suspend(() => {
      const form = key.normalize("NFC")
      const owner = owners.get(form) ?? claimant
      if (owner.id === claimant.id) {
        owners.set(form, owner)
        return Effect.void
      }
      return Effect.fail(
        new InvalidRequest({
          field: "key",
          problem: `two sources go to ${key}: ${owner.name} and ${claimant.name}`,
          remedy: "give each source a key of its own, or upload them one after the other"
        })
      )
    })
}

/** If this many uploads are denied before any succeeds, all others would be denied too. */
const denialsOfAll = 10

const makeRefusals = () => {
  let anySucceeded = false
  let denials = 0
  return {
    succeeded: () => {
      anySucceeded = true
    },
    /** True if the same request would be refused for any other key too. */
    concernsAll: (error: unknown): error is OssError => {
      if (anySucceeded || !isRefusal(error)) return false
      denials++
      return denials >= denialsOfAll || isOfAll(error)
    }
  }
}

const isRefusal = (error: unknown): error is OssError =>
  typeof error === "object" &&
  error !== null &&
  "_tag" in error &&
  error._tag === "OssError" &&
  refusals.has((error as OssError).reason._tag)

const refusals: ReadonlySet<string> = new Set([
  "AccessDenied",
  "Misconnected",
  "NoCredentials",
  "NoSuchBucket",
  "PublicEndpointForbidden"
])

/** Error codes that concern the access key, not one object. */
const ofCredentials: ReadonlySet<string> = new Set([
  "InvalidAccessKeyId",
  "InvalidSecurityToken",
  "SignatureDoesNotMatch",
  "UserDisable"
])

const isOfAll = ({ code = "", reason }: OssError): boolean =>
  reason._tag !== "AccessDenied" ||
  ofCredentials.has(code) ||
  /specified endpoint|bucket acl/i.test(reason.description)
