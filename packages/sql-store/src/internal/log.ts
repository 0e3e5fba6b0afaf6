/**
 * Changes a checkpoint that this process holds, one change at a time.
 *
 * A change sent over a connection that breaks is sent again over another one. The
 * first copy may still run later, when the row already has a new header, and
 * would corrupt the checkpoint. To prevent that, the row has a generation:
 * `begin`, `finish` and `remove` move it from the known generation to the next,
 * and a part is added to one generation only. Each change is one statement or
 * transaction that compares token and generation in the row it locks, so it is
 * safe to send it again if its answer is lost.
 */
import type * as Checkpoint from "@effect-oss/core/Checkpoint"
import type { CheckpointError, BackingLog } from "@effect-oss/core/CheckpointStore"
import type { UploadedPart } from "@effect-oss/core/Part"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Fragment } from "effect/sql/Statement"
import type { Database } from "./database.ts"
import { ask, change, unavailable } from "./database.ts"
import type { Lease } from "./lease.ts"
import * as Rows from "./rows.ts"

export interface Options {
  readonly database: Database
  readonly lease: Lease
  readonly recovered: Option.Option<Checkpoint.Checkpoint>
  readonly finished: Option.Option<Checkpoint.Finished>
  /** Why the existing rows are ignored. */
  readonly discarded: CheckpointError | undefined
  /** The highest `n` of the existing part rows, or 0. */
  readonly last: number
}

/** Parts to insert with one statement. */
interface Batch {
  readonly parts: Array<UploadedPart>
  readonly done: Deferred.Deferred<void, CheckpointError>
}

export const make = Effect.fnUntraced(function* (options: Options) {
  const { database, lease } = options
  const { sql, tables } = database
  const { id, token, location } = lease
  const scope = yield* Effect.scope
  const lock = yield* Semaphore.make(1)
  /** The row's generation. Several candidates after a change whose outcome is unknown. */
  let generations = [lease.row.generation]
  let hasHeader = Option.isSome(options.recovered)
  let last = options.last

  const held = Effect.map(
    ask(
      location,
      sql<{ generation: number }>`
        SELECT generation FROM ${sql(tables.checkpoints)} WHERE id = ${id} AND token = ${token}`
    ),
    (rows) => rows[0]?.generation
  )

  /** Sets columns of the row and deletes its parts. */
  const replace = Effect.fnUntraced(function* (columns: Fragment, isOpen: boolean) {
    yield* lease.check
    const known = generations
    const next = Math.max(...known) + 1
    generations = [...known, next]
    const update = sql`UPDATE ${sql(tables.checkpoints)}
      SET ${columns}, format = ${Rows.format}, generation = ${next}
      WHERE id = ${id} AND token = ${token} AND ${sql.in("generation", known)} RETURNING id`
    const clear = sql`DELETE FROM ${sql(tables.parts)} WHERE id = ${id}`
    const steps = Effect.flatMap(update, (rows) =>
      rows.length === 0 ? Effect.succeed(false) : Effect.as(clear, true)
    )
    const isDone = yield* change(database, location, sql.withTransaction(steps))
    // No row matched: an earlier attempt succeeded and its answer was lost, or the lease is lost.
    if (!isDone && (yield* held) !== next) return yield* lease.lost
    generations = [next]
    hasHeader = isOpen
  })

  const setHeader = (header: string | null) => sql`header = ${header}, receipt = NULL`

  const finish = Effect.fnUntraced(function* (receipt: Checkpoint.Receipt) {
    if (!hasHeader) return yield* Effect.die(new Error("finish without a checkpoint"))
    yield* replace(sql`receipt = ${Rows.encodeReceipt(receipt)}`, false)
  })

  const insert = Effect.fnUntraced(function* (parts: ReadonlyArray<UploadedPart>) {
    yield* lease.check
    const rows = new Map(parts.map((part) => [part.number, Rows.partRow(part, ++last)]))
    const written = yield* change(
      database,
      location,
      upsert(database, lease, generations[0], Array.from(rows.values()))
    )
    if (written.length === rows.size) return
    if ((yield* held) === undefined) return yield* lease.lost
    return yield* unavailable(location, "an earlier change succeeded, but its answer was lost")
  })

  const add = together(insert, lock.withPermit, scope)
  const append = (part: UploadedPart) =>
    Effect.suspend(() =>
      hasHeader ? add(part) : Effect.die(new Error("append without a checkpoint"))
    )

  return {
    recovered: options.recovered,
    finished: options.finished,
    discarded: options.discarded,
    begin: Effect.fn("CheckpointLog.begin")((header) =>
      lock.withPermit(replace(setHeader(Rows.encodeHeader(header)), true))
    ),
    append: Effect.fn("CheckpointLog.append")(append),
    finish: Effect.fn("CheckpointLog.finish")((receipt) => lock.withPermit(finish(receipt))),
    remove: Effect.withSpan(
      lock.withPermit(replace(setHeader(null), false)),
      "CheckpointLog.remove"
    )
  } satisfies BackingLog
})

/**
 * Inserts parts in batches. The first part starts a batch, and parts that arrive
 * before the batch has its turn join it.
 */
const together = (
  insert: (parts: ReadonlyArray<UploadedPart>) => Effect.Effect<void, CheckpointError>,
  inTurn: (insertion: Effect.Effect<void, CheckpointError>) => Effect.Effect<void, CheckpointError>,
  scope: Scope.Scope
) => {
  let waiting: Batch | undefined
  const join = Effect.fnUntraced(function* (part: UploadedPart) {
    if (waiting !== undefined) {
      waiting.parts.push(part)
      return waiting
    }
    const batch = (waiting = { parts: [part], done: Deferred.makeUnsafe() })
    const insertion = Effect.suspend(() => {
      waiting = undefined
      return insert(batch.parts)
    })
    // A separate fiber, so that interrupting one caller doesn't affect the others' parts.
    const fiber = yield* Effect.forkIn(inTurn(insertion), scope)
    fiber.addObserver((exit) => Deferred.doneUnsafe(batch.done, exit))
    return batch
  }, Effect.uninterruptible)
  return (part: UploadedPart) => Effect.flatMap(join(part), ({ done }) => Deferred.await(done))
}

/** Inserts rows if token and generation match. For an existing part, the higher `n` wins. */
const upsert = (
  { sql, tables, records, forUpdate }: Database,
  { id, token }: Lease,
  generation: number | undefined,
  rows: ReadonlyArray<ReturnType<typeof Rows.partRow>>
) =>
  sql`WITH held AS (
      SELECT id FROM ${sql(tables.checkpoints)}
      WHERE id = ${id} AND token = ${token} AND generation = ${generation}
      ${forUpdate}
    )
    INSERT INTO ${sql(tables.parts)} AS p (id, number, part_offset, size, etag, crc64, n)
    SELECT held.id, r.number, r.part_offset, r.size, r.etag, r.crc64, r.n
    FROM held CROSS JOIN ${records(JSON.stringify(rows))} WHERE true
    ON CONFLICT (id, number) DO UPDATE SET
      part_offset = excluded.part_offset, size = excluded.size, etag = excluded.etag,
      crc64 = excluded.crc64, n = excluded.n
    WHERE p.n <= excluded.n
    RETURNING number`
