/**
 * Waits while the database is unreachable, for example while it restarts. The
 * workflow engine treats that as a defect, and a defect ends an upload.
 */
import { codeOf, describe, isPassing } from "@effect-oss/sql-store/internal/passing"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"

/**
 * Retries once a second while the database is unreachable, for as long as
 * `atMost`, and logs that once.
 */
const waiting =
  (atMost: Duration.Duration) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      const told = yield* Ref.make(false)
      return yield* self.pipe(
        Effect.sandbox,
        Effect.tapError((cause) => (isAway(cause) ? tell(told, cause) : Effect.void)),
        Effect.retry({
          schedule: Schedule.upTo(Schedule.spaced("1 second"), { duration: atMost }),
          while: isAway
        }),
        Effect.catch(Effect.failCause)
      )
    })

/** Retries while the database is unreachable. Any other database error is a defect. */
export const outlasting = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, SqlError>, R> =>
  waiting(Duration.infinity)(self).pipe(
    Effect.catchCause((cause) =>
      Effect.failCause(isSqlError(Cause.squash(cause)) ? Cause.die(Cause.squash(cause)) : cause)
    )
  ) as Effect.Effect<A, Exclude<E, SqlError>, R>

/** The time that a database server may need to restart. */
const restart = Duration.minutes(1)

/**
 * Builds a layer, and retries for a minute while the database is unreachable.
 * After that it fails with a `ConnectionError`.
 */
export const connecting = <A, E, R>(
  layer: Layer.Layer<A, E | SqlError, R>
): Layer.Layer<A, E | SqlError, Exclude<R, Scope.Scope>> =>
  Layer.effectContext(
    Effect.mapError(waiting(restart)(build(layer)), (error) => {
      if (!isSqlError(error) || !isAway(Cause.fail(error))) return error
      const { cause, message, operation } = error.reason
      return new SqlError({ reason: new ConnectionError({ cause, message, operation }) })
    })
  )

/** Builds a layer, and retries while the database is unreachable. Any other database error is a defect. */
export const layerOutlasting = <A, R>(
  layer: Layer.Layer<A, never, R>
): Layer.Layer<A, never, Exclude<R, Scope.Scope>> => Layer.effectContext(outlasting(build(layer)))

/** Builds a layer, and releases what an attempt that fails has acquired. */
const build = Effect.fnUntraced(function* <A, E, R>(layer: Layer.Layer<A, E, R>) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  return yield* Layer.build(layer).pipe(
    Scope.provide(scope),
    Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
  )
})

const tell = Effect.fnUntraced(function* (told: Ref.Ref<boolean>, cause: Cause.Cause<unknown>) {
  if (yield* Ref.getAndSet(told, true)) return
  const error = reasonOf(cause)
  const text = isSqlError(error) ? describe(error) : String(error)
  yield* Effect.logWarning(`The database is away; waiting for it: ${text}`)
})

const isSqlError = Predicate.isTagged("SqlError") as (error: unknown) => error is SqlError

/** Finds the database's error, which the engine wraps in one or more errors of its own. */
const reasonOf = (cause: Cause.Cause<unknown>): unknown => {
  let error = Cause.squash(cause)
  while (Predicate.isTagged(error, "PersistenceError") && Predicate.hasProperty(error, "cause")) {
    error = error.cause
  }
  return error
}

/** Errors that don't go away by waiting. */
const lasting: ReadonlySet<string> = new Set([
  "AuthenticationError",
  "AuthorizationError",
  "SqlSyntaxError",
  "UniqueViolation",
  "ConstraintError"
])

const isAway = (cause: Cause.Cause<unknown>): boolean => {
  if (Cause.hasInterrupts(cause)) return false
  const error = reasonOf(cause)
  if (!isSqlError(error)) return Predicate.isTagged(Cause.squash(cause), "PersistenceError")
  return codeOf(error) === undefined ? !lasting.has(error.reason._tag) : isPassing(error)
}

/** An engine that waits for the database at each step. It may run each step twice without harm. */
export const layerEngine = <E, R>(
  layer: Layer.Layer<WorkflowEngine, E, R>
): Layer.Layer<WorkflowEngine, E, R> =>
  Layer.effect(
    WorkflowEngine,
    Effect.map(WorkflowEngine, (engine) =>
      WorkflowEngine.of({
        ...engine,
        execute: (workflow, options) => outlasting(engine.execute(workflow, options)),
        poll: (workflow, executionId) => outlasting(engine.poll(workflow, executionId)),
        interrupt: (workflow, executionId) => outlasting(engine.interrupt(workflow, executionId)),
        activityExecute: (activity, attempt) =>
          outlasting(engine.activityExecute(activity, attempt)),
        deferredResult: (deferred) => outlasting(engine.deferredResult(deferred)),
        deferredDone: (deferred, options) => outlasting(engine.deferredDone(deferred, options)),
        scheduleClock: (workflow, options) => outlasting(engine.scheduleClock(workflow, options))
      })
    )
  ).pipe(Layer.provide(layer))
