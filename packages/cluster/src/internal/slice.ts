/**
 * A slice of a batch: some files, sent in rounds by one runner at a time. Files
 * that a round could not send because OSS or the network was down are left to
 * the next round.
 */
import * as CheckpointStore from "@effect-oss/core/CheckpointStore"
import { OssClient } from "@effect-oss/core/OssClient"
import { OssError } from "@effect-oss/core/OssError"
import * as Source from "@effect-oss/core/Source"
import type { UploadRequest } from "@effect-oss/core/Upload"
import * as UploadMany from "@effect-oss/core/UploadMany"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { FileSystem } from "effect/FileSystem"
import type { HttpClient } from "effect/http/HttpClient"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Activity from "effect/workflow/Activity"
import * as DurableClock from "effect/workflow/DurableClock"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Locator from "../Locator.ts"
import { Cancelled, Failure } from "../ClusterError.ts"
import * as Look from "./look.ts"
import type { Capacity } from "./range.ts"
import { untilLost } from "./range.ts"
import { Roots } from "./roots.ts"
import * as Signals from "./signals.ts"
import type { Slice } from "./sliceWorkflow.ts"
import { SliceWorkflow } from "./sliceWorkflow.ts"
import * as SubmittedSource from "./submittedSource.ts"
import { Targets } from "./targets.ts"

type Sliced = typeof Signals.Sliced.Type

const nothing: Sliced = { files: 0, skipped: 0, size: 0, failed: 0, failures: [] }

/** The maximum number of failures in the result. */
const mostFailures = 100

const sum = (one: Sliced, other: Sliced): Sliced => ({
  files: one.files + other.files,
  skipped: one.skipped + other.skipped,
  size: one.size + other.size,
  failed: one.failed + other.failed,
  failures: [...one.failures, ...other.failures].slice(0, mostFailures)
})
export const sumOf = (all: ReadonlyArray<Sliced>): Sliced => all.reduce(sum, nothing)

/** 2 seconds, doubled each round up to 5 minutes: half an hour in all. */
const mostRounds = 13
const wait = (round: number): Duration.Duration =>
  Duration.min(Duration.seconds(2 ** round), Duration.minutes(5))

/** The workflow's body. */
export const run = (capacity: Capacity) => (slice: Slice, executionId: string) => {
  const tell = (exit: Exit.Exit<Sliced, Failure>) =>
    Signals.end(Signals.batch(slice.batch), Signals.sliced(slice.index), exit)
  return Effect.andThen(
    Look.later(SliceWorkflow, executionId),
    rounds(slice, executionId, capacity)
  ).pipe(
    Effect.matchCauseEffect({
      onSuccess: (sent) => tell(Exit.succeed(sent)),
      onFailure: (cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause) : tell(Exit.failCause(cause))
    }),
    Effect.catchCause((cause) => Effect.failCause(cause as Cause.Cause<never>))
  )
}

const Round = Schema.Struct({
  sent: Signals.Sliced,
  /** The numbers of the files to try again, in order. */
  left: Schema.Array(Schema.Int),
  /** The state that stopped or paused the round, if any. */
  state: Signals.State
})

const rounds = Effect.fnUntraced(function* (slice: Slice, executionId: string, capacity: Capacity) {
  let left: ReadonlyArray<number> = slice.files.map((_, index) => index)
  let total = nothing
  for (let round = 0; left.length > 0; round++) {
    const numbers = left
    const { sent, state, ...rest } = yield* Activity.make({
      name: `send/${round}`,
      success: Round,
      error: Failure,
      execute: capacity.activities.withPermit(
        send(slice, executionId, numbers, round >= mostRounds, capacity)
      )
    })
    total = sum(total, sent)
    left = rest.left
    if (state._tag === "Stopped") return yield* new Cancelled({ key: slice.prefix })
    if (state._tag === "Paused") yield* DurableDeferred.await(Signals.turn(state.turn))
    else if (left.length > 0) {
      yield* DurableClock.sleep({ name: `again/${round}`, duration: wait(round) })
    }
  }
  return total
})

/** Runs one round and returns the sent and the remaining files. If the slice is paused, files in flight are sent again later. */
const send = Effect.fnUntraced(function* (
  slice: Slice,
  executionId: string,
  numbers: ReadonlyArray<number>,
  isLast: boolean,
  capacity: Capacity
) {
  const found = yield* Signals.state(Signals.slice(executionId))
  if (found._tag !== "Going") return { sent: nothing, left: numbers, state: found }
  const state = yield* Ref.make<Signals.State>(found)
  const open = new Set(numbers)
  const results: Array<Sliced> = []
  const ended = (number: number, result: Sliced) => {
    open.delete(number)
    results.push(result)
  }
  yield* Effect.raceAllFirst([
    uploads(slice, numbers, isLast, capacity, ended),
    untilOther(executionId, found, state, capacity),
    untilLost(executionId, capacity)
  ])
  return { sent: sumOf(results), left: Array.from(open), state: yield* Ref.get(state) }
}, Effect.scoped)

/** Polls signals until there is one. */
const untilOther = Effect.fnUntraced(function* (
  executionId: string,
  { turn }: { readonly turn: number },
  state: Ref.Ref<Signals.State>,
  { signalsEvery }: Capacity
) {
  while ((yield* Ref.get(state))._tag === "Going") {
    yield* Effect.sleep(signalsEvery)
    yield* Ref.set(state, yield* Signals.state(Signals.slice(executionId), turn))
  }
})

/** Uploads the files with these numbers, with core's upload of many files. */
const uploads = Effect.fnUntraced(function* (
  slice: Slice,
  numbers: ReadonlyArray<number>,
  isLast: boolean,
  { parts }: Capacity,
  ended: (number: number, result: Sliced) => void
) {
  const { bucket, prefix, options } = slice
  const roots = yield* Roots
  const client = yield* (yield* Targets).client({ bucket, key: prefix })
  const numberOf = new Map<string, number>()
  type Request = UploadRequest<never, FileSystem | HttpClient>
  const requests = numbers.flatMap((number): ReadonlyArray<Request> => {
    const file = slice.files[number]
    if (file === undefined) return []
    const source = sourceOf(roots, `${slice.directory}${file.path}`, file.fingerprint)
    const key = `${prefix}${file.key ?? file.path}`
    numberOf.set(key, number)
    return [{ ...options, key, source }]
  })
  // An earlier round may have stored a file without recording it. That must not fail now.
  const skipIdentical = slice.skipIdentical || options.forbidOverwrite === true
  yield* UploadMany.uploadAll(requests, { concurrency: 2 * parts, parts, skipIdentical }).pipe(
    Stream.runForEach((outcome) =>
      Effect.sync(() => {
        const { key } = outcome.request
        const number = numberOf.get(key)
        if (number === undefined) return
        if (outcome._tag !== "Failed") {
          const skipped = outcome._tag === "Skipped" ? 1 : 0
          return ended(number, { ...nothing, files: 1, skipped, size: outcome.result.size })
        }
        const { error } = outcome
        if (error._tag === "CheckpointError") return
        if (!isLast && error._tag === "OssError" && error.isRetryable) return
        ended(number, { ...nothing, failed: 1, failures: [{ key, error }] })
      })
    ),
    Effect.provideService(OssClient, client),
    Effect.provide(CheckpointStore.layerMemory),
    // This refusal applies to all files. They stay in the list until it may have gone away.
    Effect.catchIf(
      (error): error is OssError => error._tag === "OssError" && error.isRetryable && !isLast,
      () => Effect.void
    )
  )
})

/** Opens a file below a root, if it is still the submitted one. */
const sourceOf = (
  roots: Roots["Service"],
  path: string,
  fingerprint: string
): Source.Source<never, FileSystem | HttpClient> => ({
  name: path,
  open: Effect.tap(
    Effect.catchTag(roots.open(Locator.file(path)), "InvalidRequest", (refused) =>
      Effect.fail(
        new Source.SourceError({
          source: path,
          reason: new Source.SourceUnreadable({ description: refused.problem })
        })
      )
    ),
    (opened) => SubmittedSource.recognized(fingerprint, opened, path)
  )
})
