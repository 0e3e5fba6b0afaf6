/**
 * Gives each checkpoint one holder at a time.
 *
 * **The lease** is in the checkpoint's row: a token, and its end by the database's
 * clock. A process takes the lease if there is none or if it has ended. It does so
 * with one statement, so only one of several processes gets it. The holder renews
 * the lease while it needs it.
 *
 * **The fence.** Each `open` draws a random token. Unlike a counter, a token never
 * returns, even if rows are deleted or an old copy of the database is restored.
 * Every change compares the token in its own statement, which locks the row, so a
 * change comes either before a takeover or after it. The token decides who may
 * write, and no clock does: a holder whose lease has ended may still write, until
 * another process takes the lease.
 */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import { Busy, CheckpointError, LeaseLost } from "@effect-oss/core/CheckpointStore"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Option from "effect/Option"
import type { Database } from "./database.ts"
import { ask, change, locationOf, unavailable } from "./database.ts"
import type { Row } from "./rows.ts"
import { columns, encodeKey } from "./rows.ts"

/** How a store holds checkpoints. */
export interface Terms {
  readonly expiry: Duration.Duration
  readonly renewal: Duration.Duration
  /** The name of this process in the errors of others. */
  readonly holder: string
}

/** A lease that is held. */
export interface Lease {
  /** The id of the checkpoint's row. */
  readonly id: string
  readonly token: string
  readonly location: string
  /** The row when the lease was taken. */
  readonly row: Taken
  /** Fails with `LeaseLost` if another process has taken the lease. Renews the lease first if it has ended. */
  readonly check: Effect.Effect<void, CheckpointError>
  /** Fails with `LeaseLost`: for a change that found another token. */
  readonly lost: Effect.Effect<never, CheckpointError>
}

/** A row, and how often its header has been replaced. */
export interface Taken extends Row {
  readonly generation: number
}

/**
 * The id of a checkpoint's row. A key may be too long for an index, so the id is
 * made of hashes: 64 bits of the object's name, which puts all checkpoints of an
 * object side by side, and 64 bits of the key.
 */
export const idOf = (key: string): Effect.Effect<string> =>
  Effect.zipWith(hashOf(Checkpoint.objectOfKey(key)), hashOf(key), (object, key) => object + key)

/** The beginning of the ids of an object's checkpoints. */
export const objectIdOf = (object: Checkpoint.ObjectPlace): Effect.Effect<string> =>
  hashOf(Checkpoint.objectOf(object))

const hashOf = (text: string) =>
  Effect.map(
    Effect.promise(() =>
      crypto.subtle.digest("SHA-256", new TextEncoder().encode(encodeKey(text)))
    ),
    (digest) => Hex.encode(new Uint8Array(digest, 0, 8))
  )

/** Takes the lease until the scope closes. Fails with `Busy` if another process has it. */
export const acquire = Effect.fnUntraced(function* (database: Database, terms: Terms, key: string) {
  const id = yield* idOf(key)
  const token = crypto.randomUUID()
  const location = locationOf(database, key)
  const claim = { id, token, location, terms }
  let isHeld = true
  let since = yield* Clock.monotonicTimeNanos
  const row = yield* Effect.acquireRelease(
    // If the answer is lost, the lease may be taken nevertheless.
    Effect.onError(take(database, claim, key), () => Effect.ignore(release(database, claim))),
    () => Effect.suspend(() => (isHeld ? letGo(database, claim) : Effect.void)),
    { interruptible: true }
  )

  const lost = Effect.suspend(() => {
    isHeld = false
    return new CheckpointError({ location, reason: new LeaseLost() })
  })

  const renew = Effect.gen(function* () {
    const now = yield* Clock.monotonicTimeNanos
    if (!(yield* extend(database, claim))) return yield* lost
    since = now
  })

  const check = Effect.gen(function* () {
    if (!isHeld) return yield* lost
    const now = yield* Clock.monotonicTimeNanos
    if (now - since >= Duration.toNanosUnsafe(terms.expiry)) yield* renew
  })

  // A failed renewal loses nothing: the next one may succeed, and every change is fenced.
  yield* Effect.sleep(terms.renewal).pipe(
    Effect.andThen(Effect.ignore(renew)),
    Effect.repeat({ while: () => isHeld }),
    Effect.forkScoped
  )
  return { id, token, location, row, check, lost } satisfies Lease
})

interface Claim {
  readonly id: string
  readonly token: string
  readonly location: string
  readonly terms: Terms
}

/** How often to try if the lease is taken and released in between. */
const patience = 16

/** The lease of another process. */
interface Other {
  readonly token: string
  readonly holder: string
  /** Its end by the database's clock, in milliseconds since 1970. */
  readonly until: number
  /** How much later it ends than its holder asked for, in milliseconds. */
  readonly ahead: number
  /** The duration that its holder asked for, in milliseconds. */
  readonly duration: number
}

/** Takes the lease. `silent` is a holder whose lease may be taken before its end. */
const take: (
  database: Database,
  claim: Claim,
  key: string,
  silent?: Other,
  tries?: number
) => Effect.Effect<Taken, CheckpointError> = Effect.fnUntraced(function* (
  database,
  claim,
  key,
  silent,
  tries = patience
) {
  const { sql, tables, now } = database
  const { id, token, location, terms } = claim
  const given =
    silent === undefined
      ? sql.literal("")
      : sql`OR (c.token = ${silent.token} AND c.expires_at = ${silent.until})`
  const [taken] = yield* change(
    database,
    location,
    sql<Taken>`
        INSERT INTO ${sql(tables.checkpoints)} AS c
          (id, checkpoint_key, token, holder, expires_at, lease_ms)
        VALUES (${id}, ${encodeKey(key)}, ${token}, ${terms.holder}, ${until(database, terms)},
          ${millis(terms)})
        ON CONFLICT (id) DO UPDATE
        SET token = excluded.token, holder = excluded.holder, expires_at = excluded.expires_at,
          lease_ms = excluded.lease_ms
        WHERE c.token IS NULL OR c.token = excluded.token OR c.expires_at <= ${now} ${given}
        RETURNING ${columns(database)}, CAST(generation AS DOUBLE PRECISION) AS generation`
  )
  if (taken !== undefined) return taken
  const other = yield* otherOf(database, claim)
  if (other !== undefined) {
    if (other.ahead > tolerance && (yield* isSilent(database, claim, other))) {
      return yield* take(database, claim, key, other, tries - 1)
    }
    return yield* busy(location, other)
  }
  if (tries > 1) return yield* take(database, claim, key, silent, tries - 1)
  return yield* unavailable(location, "it is taken and let go faster than it can be read")
})

/** The lease of another process, if it has one. */
const otherOf = ({ sql, tables, now, start }: Database, { id, location }: Claim) =>
  Effect.map(
    ask(
      location,
      sql<Other>`
        SELECT token, ${start("holder", 200)} AS holder,
          CAST(expires_at AS DOUBLE PRECISION) AS until,
          CAST(expires_at - lease_ms - ${now} AS DOUBLE PRECISION) AS ahead,
          CAST(lease_ms AS DOUBLE PRECISION) AS duration
        FROM ${sql(tables.checkpoints)} WHERE id = ${id} AND token IS NOT NULL`
    ),
    ([other]) => other
  )

/** How much the database's clock may differ between two statements, in milliseconds. */
const tolerance = 1_000

/**
 * If a lease ends later than its holder asked for, the database's clock was set
 * back, and a dead holder would keep the lease for a long time. So this watches
 * the lease for its duration: a living holder renews it, by a monotonic clock.
 */
const isSilent = Effect.fnUntraced(function* (database: Database, claim: Claim, other: Other) {
  const looks = 6
  for (let look = 0; look < looks; look++) {
    yield* Effect.sleep(Duration.millis(Math.min(other.duration, longest) / looks))
    const now = yield* otherOf(database, claim)
    if (now?.token !== other.token || now.until !== other.until) return false
  }
  return true
})

/** The longest time to watch a lease, because a row may hold any duration. In milliseconds. */
const longest = Duration.toMillis("1 hour")

const busy = (location: string, { holder, until }: Pick<Other, "holder" | "until">) => {
  const end = Option.match(DateTime.make(until), {
    onNone: () => "for long",
    onSome: (end) => `until ${DateTime.formatIso(end)} or longer`
  })
  return new CheckpointError({ location, reason: new Busy({ holder: `${holder}, ${end}` }) })
}

const until = ({ sql, now }: Database, { expiry }: Terms) =>
  sql`${now} + CAST(${millis({ expiry })} AS BIGINT)`

const millis = ({ expiry }: Pick<Terms, "expiry">) => Math.ceil(Duration.toMillis(expiry))

/** Renews the lease. False if the row has another token. */
const extend = (database: Database, { id, token, location, terms }: Claim) => {
  const { sql, tables } = database
  return Effect.map(
    change(
      database,
      location,
      sql`UPDATE ${sql(tables.checkpoints)} SET expires_at = ${until(database, terms)}
        WHERE id = ${id} AND token = ${token} RETURNING id`
    ),
    (rows) => rows.length > 0
  )
}

const letGo = (database: Database, claim: Claim) =>
  Effect.catch(release(database, claim), ({ message }) =>
    Effect.logWarning(
      `${claim.location}: in use for up to ${Duration.format(claim.terms.expiry)} more: ${message}`
    )
  )

/** How long the end of a program may wait for the release. */
const releasePatience = Duration.seconds(5)

/** Releases the lease, and deletes the row of a checkpoint that was never begun or was removed. */
const release = ({ sql, tables }: Database, { id, token, location }: Claim) =>
  ask(
    location,
    Effect.andThen(
      sql`DELETE FROM ${sql(tables.checkpoints)}
        WHERE id = ${id} AND token = ${token} AND header IS NULL`,
      sql`UPDATE ${sql(tables.checkpoints)}
        SET token = NULL, holder = NULL, expires_at = NULL, lease_ms = NULL
        WHERE id = ${id} AND token = ${token}`
    ),
    releasePatience
  )
