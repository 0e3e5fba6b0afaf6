/**
 * The state machine with its bytes and its journal. Both interfaces of the
 * emulator use it. Commands run one at a time, without interruption: each is
 * written to the journal first, then becomes visible, and then its unreferenced
 * blobs are removed.
 */
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { apply } from "../state/apply.ts"
import * as Bucket from "../state/model.ts"
import { blobIds } from "../state/queries.ts"
import type { Refusal } from "../../EmulatorError.ts"
import * as Blobs from "./blobs.ts"
import { ensureDirectory } from "./directory.ts"
import * as Journal from "./journal.ts"
import { own } from "./owner.ts"

/** State and bytes. */
export interface Store {
  readonly query: <A>(
    question: (state: Bucket.State) => Result.Result<A, Refusal>
  ) => Effect.Effect<A, Refusal>
  readonly commit: (command: Bucket.Command) => Effect.Effect<Bucket.Change, Refusal>
  /** Keeps bytes until the scope closes, or permanently if a command that names them was committed by then. */
  readonly receive: <E>(
    id: string,
    pieces: Stream.Stream<Uint8Array, E>
  ) => Effect.Effect<Bucket.Blob, E | Refusal, Scope.Scope>
  /** The bytes from `start` to `end`, `end` excluded. */
  readonly read: (
    object: Pick<Bucket.StoredObject, "blobs">,
    range: { readonly start: number; readonly end: number }
  ) => Stream.Stream<Uint8Array, PlatformError>
}

/** Keeps everything in memory. */
export const memory = Effect.flatMap(Blobs.memory, (blobs) =>
  make({ blobs, state: Bucket.empty, append: () => Effect.void })
)

/** Keeps everything in a directory. Committed commands survive a kill. */
export const directory = Effect.fnUntraced(function* (folder: string) {
  const path = yield* Path.Path
  yield* ensureDirectory(folder)
  yield* own(folder, path.join(folder, "owner"))
  const blobs = yield* Blobs.directory(path.join(folder, "blobs"))
  const file = path.join(folder, "journal.ndjson")
  const journal = yield* Journal.open(file)
  let state = Bucket.empty
  for (const [index, command] of journal.commands.entries()) {
    state = (yield* Effect.mapError(
      Effect.fromResult(apply(state, command)),
      ({ code }) => new Journal.JournalError({ file, line: index + 1, problem: code })
    )).state
  }
  const known = blobIds(state)
  yield* blobs.prune((id) => known.has(id))
  return yield* make({ blobs, state, append: journal.append })
})

const make = Effect.fnUntraced(function* (options: {
  readonly blobs: Blobs.Blobs
  readonly state: Bucket.State
  readonly append: (command: Bucket.Command) => Effect.Effect<void, PlatformError>
}) {
  const { blobs, append } = options
  const turn = yield* Semaphore.make(1)
  const remove = yield* removal(blobs)
  let state = options.state
  /** Blobs that are received but not yet named by a command. */
  const loose = new Set<string>()

  const carryOut = Effect.fnUntraced(function* (command: Bucket.Command) {
    const change = yield* Effect.fromResult(apply(state, command))
    yield* Effect.mapError(append(command), Blobs.diskFailed)
    state = change.state
    if ("blob" in command) loose.delete(command.blob.id)
    yield* remove.later(change.freed.map(({ id }) => id))
    return change
  })

  const store: Store = {
    query: (question) => Effect.suspend(() => Effect.fromResult(question(state))),
    commit: (command) => turn.withPermit(Effect.uninterruptible(carryOut(command))),
    receive: (id, pieces) =>
      Effect.acquireRelease(
        Effect.sync(() => loose.add(id)),
        () => (loose.delete(id) ? blobs.remove(id) : Effect.void)
      ).pipe(Effect.andThen(blobs.write(id, pieces))),
    read: (object, range) =>
      remove.notDuring(
        Stream.flatMap(Stream.fromIterable(slices(object, range)), ({ id, ...range }) =>
          blobs.read(id, range)
        )
      )
  }
  return store
})

/** Delays removals while a reader is active, so that a replaced object can be read to its end. */
const removal = (blobs: Blobs.Blobs) =>
  Effect.sync(() => {
    let readers = 0
    let due: Array<string> = []
    const sweep = Effect.suspend(() => {
      if (readers > 0) return Effect.void
      const ids = due
      due = []
      return Effect.forEach(ids, blobs.remove, { discard: true })
    })
    return {
      later: (ids: ReadonlyArray<string>) =>
        Effect.suspend(() => {
          due = due.concat(ids)
          return sweep
        }),
      notDuring: <A, E>(stream: Stream.Stream<A, E>) =>
        Stream.suspend(() => {
          readers++
          return Stream.ensuring(
            stream,
            Effect.suspend(() => {
              readers--
              return sweep
            })
          )
        })
    }
  })

const slices = (
  object: Pick<Bucket.StoredObject, "blobs">,
  range: { readonly start: number; readonly end: number }
) => {
  let offset = 0
  return object.blobs.flatMap(({ id, size }) => {
    const from = Math.max(range.start - offset, 0)
    const to = Math.min(range.end - offset, size)
    offset += size
    return from < to ? [{ id, offset: from, size: to - from }] : []
  })
}
