/**
 * One holder at a time for one checkpoint.
 *
 * **The lease** is in the checkpoint's row: a token, and until when it counts by
 * the database's clock. Whoever comes takes it if there is none or if its time
 * is over, by one statement, so that of many one gets it. The holder puts the
 * end off, again and again.
 *
 * **The fence.** A token is drawn at random by each `open` and never comes back,
 * be it that rows are deleted or that the database is set back to a copy that
 * lags behind, as a counter in it would be. Every change compares the token in
 * its own statement, which waits for the row: of a change and a taking over, one
 * is first. So it is the token that decides who may write, and no clock; a
 * holder whose time is over is one as long as nobody else has come.
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
  /** What others are told of this process. */
  readonly holder: string
}

/** A lease that is held. */
export interface Lease {
  /** Of the checkpoint's row. */
  readonly id: string
  readonly token: string
  readonly location: string
  /** What stood in the row when it was taken. */
  readonly row: Taken
  /** Fails with `LeaseLost` once it is known that somebody else has it; renews it first if its time is over. */
  readonly check: Effect.Effect<void, CheckpointError>
  /** The failure of a change that found another token. */
  readonly lost: Effect.Effect<never, CheckpointError>
}

/** A row, and how often its header was replaced. */
export interface Taken extends Row {
  readonly generation: number
}

/**
 * Keys may be longer than an index takes: half of the id is the hash of the
 * object, so that all checkpoints of one stand together, and half is that of the
 * key. 128 bits are plenty to tell keys apart.
 */
export const idOf = (key: string): Effect.Effect<string> =>
  Effect.zipWith(hashOf(Checkpoint.objectOfKey(key)), hashOf(key), (object, key) => object + key)

/** What the ids of an object's checkpoints begin with. */
export const objectIdOf = (object: Checkpoint.ObjectPlace): Effect.Effect<string> =>
  hashOf(Checkpoint.objectOf(object))

const hashOf = (text: string) =>
  Effect.map(
    Effect.promise(() =>
      crypto.subtle.digest("SHA-256", new TextEncoder().encode(encodeKey(text)))
    ),
    (digest) => Hex.encode(new Uint8Array(digest, 0, 8))
  )

/** Takes the lease until the scope closes; fails with `Busy` while another holder's counts. */
export const acquire = Effect.fnUntraced(function* (database: Database, terms: Terms, key: string) {
  const id = yield* idOf(key)
  const token = crypto.randomUUID()
  const location = locationOf(database, key)
  const claim = { id, token, location, terms }
  let isHeld = true
  let since = yield* Clock.monotonicTimeNanos
  const row = yield* Effect.acquireRelease(
    // It may be taken though the answer is lost.
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

  // A renewal that fails is no loss yet: the next one may succeed, and every change is fenced.
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

/** How often a lease may come and go while it is asked for. */
const patience = 16

/** A lease that another holder has. */
interface Other {
  readonly token: string
  readonly holder: string
  /** By the database's clock, in milliseconds since 1970. */
  readonly until: number
  /** How much longer than its holder asked for it counts, in milliseconds. */
  readonly ahead: number
  /** What its holder asked for, in milliseconds. */
  readonly duration: number
}

/** `silent` is a holder whose lease may be taken although it counts. */
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

/** Who has the lease, if anybody has. */
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

/** Of the database's clock, in milliseconds, from one statement to the next. */
const tolerance = 1_000

/**
 * A lease that counts for longer than its holder asked for tells that the
 * database's clock was set back; a holder that died would have it for ever. One
 * that lives renews it in time, by a clock that nobody sets.
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

/** A row may hold anything. */
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

/** False if another token stands there. */
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

/** How long the end of a program is put off for it. */
const releasePatience = Duration.seconds(5)

/** What was never begun, or was removed, leaves no row. */
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
