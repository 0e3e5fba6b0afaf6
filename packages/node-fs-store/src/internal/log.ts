/**
 * One checkpoint, held: the order of the steps that make its records durable.
 *
 * Data could be lost here in two ways, and this is what stands against them.
 *
 * **A crash.** A journal is written under another name, synced, renamed, and
 * the directory synced; parts are appended by one write and one sync. Either
 * returns afterwards only. After a failure the file is written to no more, since
 * nobody knows what a failed write or sync left of it: the next append writes a
 * new one.
 *
 * **Two writers.** Each holder writes journals of its own name only, of a higher
 * generation than those before, so that none can harm another's. Nor can a
 * holder that was taken for dead and wakes up put its own in place: it checks
 * its lease after it has written the temporary file and before it renames it,
 * while the new holder takes the lease, then removes temporary files, and then
 * looks for journals. So either there is nothing left to rename, or it was
 * renamed before the new holder looked. An append is reported as done only if
 * the lease was still there after the sync, and so before anybody else read the
 * journal.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Semaphore from "effect/Semaphore"
import type { Checkpoint, Finished, Header, Receipt } from "@effect-oss/core/Checkpoint"
import type { BackingLog, CheckpointError } from "@effect-oss/core/CheckpointStore"
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Journal from "./journal.ts"
import type { Lease } from "./lease.ts"
import type { Place } from "./place.ts"
import { discard, persistently, syncDirectory, unavailable } from "./place.ts"
import * as Writer from "./writer.ts"

/** What the log is opened on. */
export interface Options {
  readonly place: Place
  readonly key: string
  readonly lease: Lease
  /** Higher than that of any journal there is. */
  readonly generation: number
  /** The paths of the journals there are, oldest first. */
  readonly older: ReadonlyArray<string>
  readonly recovered: Option.Option<Checkpoint>
  readonly finished: Option.Option<Finished>
  /** Why the newest of them is as if it weren't there. */
  readonly discarded: CheckpointError | undefined
}

/** Parts that wait to be written and synced together. */
interface Batch {
  readonly parts: Array<UploadedPart>
  readonly done: Deferred.Deferred<void, CheckpointError>
}

/** A header and its records so far; grows with each append. */
interface State {
  readonly header: Header
  readonly parts: Array<UploadedPart>
}

type Steps = Effect.Effect<void, CheckpointError | PlatformError, FileSystem.FileSystem>

/** The log of a checkpoint, until the scope closes. */
export const make = Effect.fnUntraced(function* (options: Options) {
  const { place, lease } = options
  const fs = yield* FileSystem.FileSystem
  const lock = yield* Semaphore.make(1)
  const target = place.journal(options.generation, lease.token)
  const steps = stepsOf(options, target)
  let waiting: Batch | undefined

  const exclusively = (steps: Steps) =>
    steps.pipe(
      Effect.catchTag("PlatformError", (error) => Effect.fail(unavailable(target)(error))),
      Effect.catch((error) => Effect.andThen(lease.check, Effect.fail(error))),
      Effect.uninterruptible,
      lock.withPermit,
      Effect.provideService(FileSystem.FileSystem, fs)
    )

  /** The first to wait leads: whatever else comes before it gets the lock goes with its sync. */
  const append = (part: UploadedPart) =>
    Effect.suspend(() => {
      if (waiting !== undefined) {
        waiting.parts.push(part)
        return Deferred.await(waiting.done)
      }
      const batch = (waiting = { parts: [part], done: Deferred.makeUnsafe() })
      const write = Effect.suspend(() => {
        waiting = undefined
        return steps.append(batch.parts)
      })
      return Effect.andThen(
        Deferred.into(exclusively(write), batch.done),
        Deferred.await(batch.done)
      )
    }).pipe(Effect.uninterruptible)

  yield* Effect.addFinalizer(() => lock.withPermit(steps.close))
  if (lease.contested) yield* exclusively(steps.carryOver)
  return {
    recovered: options.recovered,
    finished: options.finished,
    discarded: options.discarded,
    begin: Effect.fn("CheckpointLog.begin")((header) => exclusively(steps.begin(header))),
    append: Effect.fn("CheckpointLog.append")(append),
    finish: Effect.fn("CheckpointLog.finish")((receipt) => exclusively(steps.finish(receipt))),
    remove: Effect.withSpan(exclusively(steps.remove), "CheckpointLog.remove")
  } satisfies BackingLog
})

/** What changes the files of a checkpoint, one step at a time. */
const stepsOf = ({ place, key, lease, recovered, ...options }: Options, target: string) => {
  let older = options.older
  let state = Option.match(recovered, {
    onNone: (): State | undefined => undefined,
    onSome: ({ header, parts }) => ({ header, parts: [...parts] })
  })
  let writer: Writer.Writer | undefined

  const close = Effect.suspend(() => {
    const open = writer
    writer = undefined
    return open === undefined ? Effect.void : open.close
  })

  const removeOlder = Effect.suspend(() => Effect.forEach(older, discard, { discard: true })).pipe(
    Effect.andThen(Effect.sync(() => void (older = [])))
  )

  const replace = Effect.fnUntraced(function* (header: Header, parts: Array<UploadedPart>) {
    yield* close
    writer = yield* Writer.publish({ place, target, lease, key, content: { header, parts } })
    state = { header, parts }
    // Should this fail, whoever opens next still takes the higher generation.
    yield* Effect.ignore(removeOlder)
  })

  const write = (text: string) =>
    Effect.suspend(() => {
      if (writer === undefined) return Effect.die(new Error("no journal is open"))
      // A record whose lease couldn't be checked is in the file, and was reported as failed: the file says too much.
      return Effect.onError(Effect.andThen(writer.append(text), lease.check), () => close)
    })

  const append = Effect.fnUntraced(function* (added: ReadonlyArray<UploadedPart>) {
    if (state === undefined) return yield* Effect.die(new Error("append without a checkpoint"))
    const { header, parts } = state
    if (writer === undefined) return yield* replace(header, [...parts, ...added])
    yield* write(Journal.extend(writer.seal, parts.length, added))
    parts.push(...added)
  })

  const finish = Effect.fnUntraced(function* (receipt: Receipt) {
    if (state === undefined) return yield* Effect.die(new Error("finish without a checkpoint"))
    const { header, parts } = state
    if (writer === undefined) yield* replace(header, parts)
    if (writer !== undefined) yield* write(Journal.finish(writer.seal, parts.length, receipt))
    state = undefined
    yield* close
  })

  const remove = persistently(
    Effect.gen(function* () {
      yield* lease.check
      yield* close
      yield* removeOlder
      yield* discard(target)
      yield* syncDirectory(place.directory)
      state = undefined
    })
  )

  const carryOver = Effect.suspend(() =>
    state === undefined ? Effect.void : replace(state.header, state.parts)
  )
  return {
    begin: (header: Header) => replace(header, []),
    append,
    finish,
    remove,
    carryOver,
    close
  }
}
