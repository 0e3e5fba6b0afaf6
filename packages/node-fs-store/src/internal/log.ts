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
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Checkpoint, Header } from "@effect-oss/core/Checkpoint"
import type { CheckpointError, BackingLog } from "@effect-oss/core/CheckpointStore"
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Journal from "./journal.ts"
import type { Lease } from "./lease.ts"
import type { Place } from "./place.ts"
import { discard, fileMode, sync, unavailable } from "./place.ts"

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
  /** Why the newest of them is as if it weren't there. */
  readonly discarded: CheckpointError | undefined
}

/** An open journal, at whose end records may be added. */
interface Writer {
  readonly file: FileSystem.File
  readonly scope: Scope.Closeable
  readonly seal: Journal.Seal
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

/** The log of a checkpoint, until the scope closes. */
export const make = Effect.fnUntraced(function* (options: Options) {
  const { place, key, lease } = options
  const fs = yield* FileSystem.FileSystem
  const lock = yield* Semaphore.make(1)
  const target = place.journal(options.generation, lease.token)
  let older = options.older
  let state = Option.match(options.recovered, {
    onNone: (): State | undefined => undefined,
    onSome: ({ header, parts }) => ({ header, parts: [...parts] })
  })
  let writer: Writer | undefined
  let waiting: Batch | undefined

  const exclusively = (
    steps: Effect.Effect<void, CheckpointError | PlatformError, FileSystem.FileSystem>
  ) =>
    steps.pipe(
      Effect.catchTag("PlatformError", (error) => Effect.fail(unavailable(target)(error))),
      Effect.catch((error) => Effect.andThen(lease.check, Effect.fail(error))),
      Effect.uninterruptible,
      lock.withPermit,
      Effect.provideService(FileSystem.FileSystem, fs)
    )

  const close = Effect.suspend(() => {
    const scope = writer?.scope
    writer = undefined
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  })

  const removeOlder = Effect.suspend(() => Effect.forEach(older, discard, { discard: true })).pipe(
    Effect.andThen(Effect.sync(() => void (older = [])))
  )

  const replace = Effect.fnUntraced(function* (header: Header, parts: Array<UploadedPart>) {
    yield* close
    const { text, seal } = Journal.begin(lease.token, key, { header, parts })
    writer = { ...(yield* publish(place.directory, target, text, lease.check)), seal }
    state = { header, parts }
    // Should this fail, whoever opens next still takes the higher generation.
    yield* Effect.ignore(removeOlder)
  })

  const extend = Effect.fnUntraced(
    function* ({ file, seal }: Writer, { parts }: State, added: ReadonlyArray<UploadedPart>) {
      yield* file.writeAll(encoder.encode(Journal.extend(seal, parts.length, added)))
      yield* file.sync
      yield* lease.check
      parts.push(...added)
    },
    Effect.onError(() => close)
  )

  const write = (added: ReadonlyArray<UploadedPart>) =>
    Effect.suspend(() => {
      if (state === undefined) return Effect.die(new Error("append without a checkpoint"))
      return writer === undefined
        ? replace(state.header, [...state.parts, ...added])
        : extend(writer, state, added)
    })

  /** Who finds nobody waiting leads: whatever else comes before it gets the lock goes with its sync. */
  const append = (part: UploadedPart) =>
    Effect.suspend(() => {
      if (waiting !== undefined) {
        waiting.parts.push(part)
        return Deferred.await(waiting.done)
      }
      const batch = (waiting = { parts: [part], done: Deferred.makeUnsafe() })
      const steps = Effect.suspend(() => {
        waiting = undefined
        return write(batch.parts)
      })
      return Effect.andThen(
        Deferred.into(exclusively(steps), batch.done),
        Deferred.await(batch.done)
      )
    }).pipe(Effect.uninterruptible)

  const remove = Effect.gen(function* () {
    yield* lease.check
    yield* close
    yield* removeOlder
    yield* discard(target)
    yield* sync(place.directory)
    state = undefined
  })

  yield* Effect.addFinalizer(() => lock.withPermit(close))
  if (lease.contested && state !== undefined) yield* exclusively(replace(state.header, state.parts))
  return {
    recovered: options.recovered,
    discarded: options.discarded,
    begin: Effect.fn("CheckpointLog.begin")((header) => exclusively(replace(header, []))),
    append: Effect.fn("CheckpointLog.append")(append),
    remove: Effect.withSpan(exclusively(remove), "CheckpointLog.remove")
  } satisfies BackingLog
})

const encoder = new TextEncoder()

/** A durable file at `target`, open at its end, unless `check` fails once all is written. */
const publish = Effect.fnUntraced(function* (
  directory: string,
  target: string,
  text: string,
  check: Effect.Effect<void, CheckpointError, FileSystem.FileSystem>
) {
  const fs = yield* FileSystem.FileSystem
  const temporary = `${target}.tmp`
  const scope = yield* Scope.make()
  return yield* Effect.gen(function* () {
    yield* discard(temporary)
    const open = fs.open(temporary, { flag: "ax", mode: fileMode })
    const file = yield* Scope.provide(open, scope)
    yield* file.writeAll(encoder.encode(text))
    yield* file.sync
    yield* check
    yield* fs.rename(temporary, target)
    yield* sync(directory)
    return { file, scope }
  }).pipe(
    Effect.onError(() =>
      Effect.andThen(Scope.close(scope, Exit.void), Effect.ignore(discard(temporary)))
    )
  )
})
