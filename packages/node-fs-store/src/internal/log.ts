/**
 * Makes the records of one checkpoint durable. This process holds the
 * checkpoint. The order of the steps matters, because data could be lost in two
 * ways.
 *
 * **A crash.** A journal is written under a temporary name, synced and renamed,
 * and then the directory is synced. Parts are appended with one write and one
 * sync. Each call returns after its sync. After a failure, the file is not
 * written to again, because the content that a failed write or sync leaves is
 * unknown. The next append writes a new journal.
 *
 * **Two writers.** Each holder writes only journals with its own name, of a
 * higher generation than those before, so it can't damage another holder's. A
 * holder that was taken for dead and wakes up can't put its journal in place
 * either. It checks its lease after it has written the temporary file and before
 * it renames it. The new holder takes the lease, then removes temporary files,
 * and then looks for journals. So the old holder either finds nothing to rename,
 * or it renamed the file before the new holder looked. An append succeeds only
 * if the lease was still there after the sync, and so before another holder read
 * the journal.
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

/** The state that the log starts with. */
export interface Options {
  readonly place: Place
  readonly key: string
  readonly lease: Lease
  /** The generation of the next journal: higher than all others. */
  readonly generation: number
  /** The paths of the existing journals, oldest first. */
  readonly older: ReadonlyArray<string>
  readonly recovered: Option.Option<Checkpoint>
  readonly finished: Option.Option<Finished>
  /** Why the newest journal is ignored, if it is. */
  readonly discarded: CheckpointError | undefined
}

/** Parts that are written and synced together. */
interface Batch {
  readonly parts: Array<UploadedPart>
  readonly done: Deferred.Deferred<void, CheckpointError>
}

/** The header and the parts recorded so far. Each append adds to them. */
interface State {
  readonly header: Header
  readonly parts: Array<UploadedPart>
}

type Steps = Effect.Effect<void, CheckpointError | PlatformError, FileSystem.FileSystem>

/** Makes the log of a checkpoint. It is usable until the scope closes. */
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

  /** The first waiter becomes the leader and writes the batch. Parts that arrive before it gets the lock join its sync. */
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

/** The steps that change the files of a checkpoint. They run one at a time. */
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
    // If this fails, the next holder still finds the highest generation.
    yield* Effect.ignore(removeOlder)
  })

  const write = (text: string) =>
    Effect.suspend(() => {
      if (writer === undefined) return Effect.die(new Error("no journal is open"))
      // If the lease can't be checked, the record is in the file but was reported as failed. So
      // this file is closed.
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
