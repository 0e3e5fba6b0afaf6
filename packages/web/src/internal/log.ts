/**
 * The log of a held checkpoint, in the database. Each change is one
 * transaction, which compares the holder in the record with this one. So a tab
 * whose lock was taken away can't change anything.
 *
 * Parts that arrive during a transaction go into the next one together.
 */
import type * as Checkpoint from "@effect-oss/core/Checkpoint"
import type { BackingLog, CheckpointError } from "@effect-oss/core/CheckpointStore"
import { LeaseLost, Unavailable } from "@effect-oss/core/CheckpointStore"
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import * as Database from "./database.ts"
import type { Lease } from "./lease.ts"
import * as Rows from "./rows.ts"
import * as Token from "./token.ts"

/** Options of `make`. */
export interface Options {
  readonly database: Database.Database
  readonly checkpointKey: string
  readonly location: string
  readonly lease: Lease
  /** The holder in the record, if there is one. */
  readonly holder: string
  readonly found: Found
}

/** The data that the database has for a checkpoint's key. */
export interface Found {
  /** True if there is a record, readable or not. */
  readonly isThere: boolean
  readonly row?: Rows.Row | undefined
  readonly recovered: Option.Option<Checkpoint.Checkpoint>
  readonly finished: Option.Option<Checkpoint.Finished>
  readonly discarded?: CheckpointError | undefined
  /** The number of the last part's record. */
  readonly last: number
}

/** Parts that are written together. */
interface Batch {
  readonly parts: Array<UploadedPart>
  readonly done: Deferred.Deferred<void, CheckpointError>
}

/** The keys of all parts of a checkpoint. An array sorts after all numbers. */
export const partsRange = (checkpointKey: string): IDBKeyRange =>
  IDBKeyRange.bound([checkpointKey], [checkpointKey, []])

/** The log of a checkpoint, until the scope closes. */
export const make = Effect.fnUntraced(function* (options: Options) {
  const { database, checkpointKey, location, lease, holder, found } = options
  const lock = yield* Semaphore.make(1)
  let { isThere, last } = found
  let open = Option.isSome(found.recovered) ? found.row : undefined

  /** Runs one transaction, if the record still belongs to this holder. */
  const change = (
    act: (stores: Readonly<Record<"checkpoints" | "parts" | "handles", IDBObjectStore>>) => void
  ) =>
    Database.write(database, location, ({ store, done, refuse }) => {
      if (lease.isLost()) return refuse(new LeaseLost())
      const stores = {
        checkpoints: store(Database.checkpoints),
        parts: store(Database.parts),
        handles: store(Database.handles)
      }
      Database.on<unknown>(stores.checkpoints.get(checkpointKey), (stored) => {
        if (isThere && stored === undefined) return refuse(cleared)
        if (stored !== undefined && (!isThere || Rows.holderOf(stored) !== holder)) {
          return refuse(new LeaseLost())
        }
        act(stores)
        done(undefined)
      })
    })

  const begin = Effect.fnUntraced(function* (header: Checkpoint.Header) {
    const row = Rows.row({ checkpointKey, holder, generation: yield* Token.make, header })
    yield* change(({ checkpoints, parts }) => {
      checkpoints.put(Rows.encode(row))
      parts.delete(partsRange(checkpointKey))
    })
    open = row
    isThere = true
    last = 0
  })

  const finish = Effect.fnUntraced(function* (receipt: Checkpoint.Receipt) {
    if (open === undefined) return yield* Effect.die(new Error("finish without a checkpoint"))
    const row = { ...open, receipt }
    yield* change(({ checkpoints, parts }) => {
      checkpoints.put(Rows.encode(row))
      parts.delete(partsRange(checkpointKey))
    })
    open = undefined
  })

  const remove = Effect.suspend(() =>
    change(({ checkpoints, parts, handles }) => {
      checkpoints.delete(checkpointKey)
      parts.delete(partsRange(checkpointKey))
      handles.delete(checkpointKey)
    })
  ).pipe(
    Effect.map(() => {
      open = undefined
      isThere = false
    })
  )

  const insert = Effect.fnUntraced(function* (batch: ReadonlyArray<UploadedPart>) {
    if (open === undefined) return yield* Effect.die(new Error("append without a checkpoint"))
    const { generation } = open
    const rows = batch.map((part) =>
      Rows.encodePart({ checkpointKey, generation, order: ++last, part })
    )
    yield* change(({ parts }) => {
      for (const row of rows) parts.put(row)
    })
  })

  const add = yield* batched(lock, insert)

  return {
    recovered: found.recovered,
    finished: found.finished,
    discarded: found.discarded,
    begin: Effect.fn("CheckpointLog.begin")((header) => lock.withPermit(begin(header))),
    append: Effect.fn("CheckpointLog.append")(add),
    finish: Effect.fn("CheckpointLog.finish")((receipt) => lock.withPermit(finish(receipt))),
    remove: Effect.withSpan(lock.withPermit(remove), "CheckpointLog.remove")
  } satisfies BackingLog
})

/** Adds parts under the lock. Parts that wait for the lock are written together. */
const batched = Effect.fnUntraced(function* (
  lock: Semaphore.Semaphore,
  insert: (batch: ReadonlyArray<UploadedPart>) => Effect.Effect<void, CheckpointError>
) {
  const scope = yield* Effect.scope
  let waiting: Batch | undefined

  /** The first waiting part starts a batch. Parts that arrive before the batch gets the lock join it. */
  const join = Effect.fnUntraced(function* (part: UploadedPart) {
    if (waiting !== undefined) {
      waiting.parts.push(part)
      return waiting
    }
    const batch = (waiting = { parts: [part], done: Deferred.makeUnsafe() })
    const steps = Effect.suspend(() => {
      waiting = undefined
      return insert(batch.parts)
    })
    // Runs on its own fiber, so that the interruption of one caller leaves the parts of others alone.
    const fiber = yield* Effect.forkIn(lock.withPermit(steps), scope)
    fiber.addObserver((exit) => Deferred.doneUnsafe(batch.done, exit))
    return batch
  }, Effect.uninterruptible)

  return (part: UploadedPart) => Effect.flatMap(join(part), ({ done }) => Deferred.await(done))
})

const cleared = new Unavailable({ description: "it is gone: the data of this site were cleared" })
