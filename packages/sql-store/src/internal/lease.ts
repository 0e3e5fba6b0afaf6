/**
 * Gives a checkpoint one holder at a time.
 *
 * **The lease** is in the checkpoint's row: a token, and the time at which it
 * expires by the database's clock. A process takes a free or expired lease with
 * one statement, so only one of several processes gets it. The holder renews the
 * lease until it lets go of the checkpoint.
 *
 * **The fence.** Each `open` draws a random token. A counter could repeat a value
 * after rows are deleted or the database is restored from an older copy; a random
 * token does not. Every change compares the token in its own statement, which
 * locks the row, so a change runs either before or after a takeover. The token
 * decides which process may write, not a clock: a holder whose lease has expired
 * may still write until another process takes it.
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

/** The terms of every lease of a store. */
export interface Terms {
  readonly expiry: Duration.Duration
  readonly renewal: Duration.Duration
  /** The name of this process in `Busy` errors of other processes. */
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
  /** Renews the lease if it has expired. Fails with `LeaseLost` if another process has it. */
  readonly check: Effect.Effect<void, CheckpointError>
  /** Marks the lease as lost and fails with `LeaseLost`. For a change that found another token. */
  readonly lost: Effect.Effect<never, CheckpointError>
}

/** A row and its generation, see `log.ts`. */
export interface Taken extends Row {
  readonly generation: number
}

/**
 * The id of a checkpoint's row: 64 bits of the object's hash, then 64 bits of the
 * key's hash. Keys can be too long for an index. The common first half lets you
 * select all checkpoints of an object.
 */
export const idOf = (key: string): Effect.Effect<string> =>
  Effect.zipWith(hashOf(Checkpoint.objectOfKey(key)), hashOf(key), (object, key) => object + key)

/** The first half of the ids of an object's checkpoints. */
export const objectIdOf = (object: Checkpoint.ObjectPlace): Effect.Effect<string> =>
  hashOf(Checkpoint.objectOf(object))

const hashOf = (text: string) =>
  Effect.map(
    Effect.promise(() =>
      crypto.subtle.digest("SHA-256", new TextEncoder().encode(encodeKey(text)))
    ),
    (digest) => Hex.encode(new Uint8Array(digest, 0, 8))
  )

/** Takes the lease until the scope closes. Fails with `Busy` if another process holds it. */
export const acquire = Effect.fnUntraced(function* (database: Database, terms: Terms, key: string) {
  const id = yield* idOf(key)
  const token = crypto.randomUUID()
  const location = locationOf(database, key)
  const claim = { id, token, location, terms }
  let isHeld = true
  let since = yield* Clock.monotonicTimeNanos
  const row = yield* Effect.acquireRelease(
    // After a lost answer the lease may be taken all the same: release it.
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

  // A failed renewal is ignored: the next one may succeed, and every change compares the token.
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

/** The attempts to take a lease that other processes keep taking and releasing. */
const patience = 16

/** The lease of another process. */
interface Other {
  readonly token: string
  readonly holder: string
  /** When it expires by the database's clock, in milliseconds since 1970. */
  readonly until: number
  /** By how much the time left exceeds `duration`, in milliseconds. */
  readonly ahead: number
  /** The `expiry` of its holder, in milliseconds. */
  readonly duration: number
}

/** Takes a free or expired lease, or the lease `silent`, which has not expired. */
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
  return yield* unavailable(location, "other processes keep taking and releasing it")
})

/** The current lease, if there is one. */
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

/** A larger `ahead` means that the database's clock was set back, in milliseconds. */
const tolerance = 1_000

/**
 * True if the lease is not renewed for its full duration, by this process's clock.
 * `take` asks if a lease has more time left than its duration: the database's
 * clock was set back, and the lease of a dead holder would last far too long.
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

/** The longest wait, because a row can hold any duration. */
const longest = Duration.toMillis("1 hour")

const busy = (location: string, { holder, until }: Pick<Other, "holder" | "until">) => {
  const end = Option.match(DateTime.make(until), {
    onNone: () => "for an unknown time",
    onSome: (end) => `until ${DateTime.formatIso(end)} or longer`
  })
  return new CheckpointError({ location, reason: new Busy({ holder: `${holder}, ${end}` }) })
}

const until = ({ sql, now }: Database, { expiry }: Terms) =>
  sql`${now} + CAST(${millis({ expiry })} AS BIGINT)`

const millis = ({ expiry }: Pick<Terms, "expiry">) => Math.ceil(Duration.toMillis(expiry))

/** Renews the lease. False if the row no longer has the token. */
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

/** The timeout of a release, which can delay the end of the program. */
const releasePatience = Duration.seconds(5)

/** Deletes a row without a header: the checkpoint was never begun, or was removed. */
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
