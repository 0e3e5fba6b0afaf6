/**
 * The IndexedDB database of the checkpoints. It opens on first use, and again
 * after the browser has closed it.
 *
 * Transactions use callbacks, because a transaction commits by itself as soon
 * as it has no request in flight. No fiber may run in between.
 */
import { CheckpointError, Unavailable } from "@effect-oss/core/CheckpointStore"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Names of object stores. */
export const checkpoints = "checkpoints"
export const parts = "parts"
export const handles = "handles"

/** The index of checkpoints by object. */
export const byObject = "object"

const version = 1

/** The database and the error for its failures. */
export interface Database {
  readonly name: string
  readonly connection: Effect.Effect<IDBDatabase, CheckpointError>
}

/** Opens the database lazily. It closes with the scope. */
export const make = (name: string): Effect.Effect<Database, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync((): { open?: IDBDatabase | undefined } => ({})),
      (held) => Effect.sync(() => held.open?.close())
    ),
    (held) => ({
      name,
      connection: Effect.suspend(() =>
        held.open === undefined
          ? Effect.tap(connect(name), (database) =>
              Effect.sync(() => {
                const forget = () => {
                  database.close()
                  if (held.open === database) held.open = undefined
                }
                // A deletion of the database must not wait for this page.
                database.addEventListener("versionchange", forget)
                database.addEventListener("close", forget)
                held.open?.close()
                held.open = database
              })
            )
          : Effect.succeed(held.open)
      )
    })
  )

const connect = (name: string): Effect.Effect<IDBDatabase, CheckpointError> =>
  Effect.callback<IDBDatabase, CheckpointError>((resume) => {
    const refuse = (cause: unknown) => resume(Effect.fail(failure(name, cause)))
    let isOver = false
    attempt(refuse, () => {
      if (globalThis.indexedDB === undefined) throw new Error("there is no IndexedDB here")
      const request = indexedDB.open(name, version)
      request.addEventListener("upgradeneeded", () => create(request.result))
      request.addEventListener("blocked", () => refuse(new Error(otherVersion)))
      request.addEventListener("error", () => refuse(request.error))
      request.addEventListener("success", () => {
        if (isOver) request.result.close()
        else resume(Effect.succeed(request.result))
      })
    })
    return Effect.sync(() => void (isOver = true))
  }).pipe(
    Effect.timeoutOrElse({
      duration: mostWait,
      orElse: () => Effect.fail(failure(name, new Error(isHeld)))
    })
  )

/** A database with a pending deletion doesn't open before all tabs have closed it, and the browser sends no event. */
const mostWait = "15 seconds"

const isHeld =
  "it doesn't open: another tab keeps it from being deleted; close the other tabs of this site"

const otherVersion = "another tab has it open in another version of this page: close that tab"

const create = (database: IDBDatabase) => {
  database
    .createObjectStore(checkpoints, { keyPath: "checkpointKey" })
    .createIndex(byObject, "object")
  database.createObjectStore(parts, { keyPath: ["checkpointKey", "part.number"] })
  database.createObjectStore(handles, { keyPath: "checkpointKey" })
}

/** The reasons for which a transaction can fail. */
export type Reason = CheckpointError["reason"]

/** The object stores of a transaction, and its two ends. After `refuse` nothing has changed. */
export interface Steps<A> {
  readonly store: (name: string) => IDBObjectStore
  readonly done: (result: A) => void
  readonly refuse: (reason: Reason) => void
}

/** Runs a read transaction. It sees one state of all stores. */
export const read = <A>(
  database: Database,
  location: string,
  steps: (given: Steps<A>) => void
): Effect.Effect<A, CheckpointError> => transact(database, location, "readonly", steps)

/** Runs a write transaction. It changes all or nothing, and returns once the changes are on the disk. */
export const write = <A = void>(
  database: Database,
  location: string,
  steps: (given: Steps<A>) => void
): Effect.Effect<A, CheckpointError> =>
  Effect.uninterruptible(transact(database, location, "readwrite", steps))

const transact = Effect.fnUntraced(function* <A>(
  database: Database,
  location: string,
  mode: IDBTransactionMode,
  steps: (given: Steps<A>) => void
): Effect.fn.Return<A, CheckpointError> {
  const connection = yield* database.connection
  return yield* Effect.callback<A, CheckpointError>((resume) => {
    const fail = (cause: unknown) => resume(Effect.fail(failure(location, cause)))
    attempt(fail, () => {
      const transaction = connection.transaction([checkpoints, parts, handles], mode, {
        durability: "strict"
      })
      let result: { readonly value: A } | undefined
      let refused: Reason | undefined
      transaction.addEventListener("complete", () =>
        result === undefined
          ? fail(new Error("it ended early"))
          : resume(Effect.succeed(result.value))
      )
      transaction.addEventListener("abort", () =>
        refused === undefined
          ? fail(transaction.error ?? new Error("the browser closed it"))
          : resume(Effect.fail(new CheckpointError({ location, reason: refused })))
      )
      steps({
        store: (name) => transaction.objectStore(name),
        done: (value) => (result = { value }),
        refuse: (reason) => {
          refused = reason
          transaction.abort()
        }
      })
    })
  })
})

/** Calls `then` with the result of a request. If the request fails, the transaction aborts. */
export const on = <A>(request: IDBRequest<A>, then: (result: A) => void): void =>
  request.addEventListener("success", () => then(request.result))

/** IndexedDB throws if it is forbidden or has been closed. */
const attempt = (fail: (cause: unknown) => void, act: () => void): void =>
  Effect.runSync(Effect.ignore(Effect.try({ try: act, catch: fail })))

/** Describes the failure so that the user can act on it. */
export const failure = (location: string, cause: unknown): CheckpointError =>
  new CheckpointError({ location, reason: new Unavailable({ description: describe(cause) }) })

const describe = (cause: unknown): string => {
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause))
  return `${known[name] ?? "IndexedDB refused"} (${name}: ${message})`
}

const known: Readonly<Record<string, string>> = {
  QuotaExceededError: "there is no space left for this site",
  SecurityError: "the browser lets this site store nothing, as in some private windows",
  InvalidStateError: "the browser has closed or deleted the database",
  UnknownError: "the browser can't read or write its storage",
  VersionError: "a newer version of this page has written it: load the page again",
  NotFoundError: "it was made by another program"
}
