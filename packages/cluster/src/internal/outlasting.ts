/**
 * Waits while the database is unreachable, for example while it restarts. The
 * workflow engine treats that as a defect, and a defect ends an upload.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type { SqlError } from "effect/sql/SqlError"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"

/** Retries once a second while the database is unreachable. Any other database error is a defect. */
export const outlasting = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, SqlError>, R> =>
  Effect.gen(function* () {
    const told = yield* Ref.make(false)
    return yield* self.pipe(
      Effect.sandbox,
      Effect.tapError((cause) => (isAway(cause) ? tell(told, cause) : Effect.void)),
      Effect.retry({ schedule: Schedule.spaced("1 second"), while: isAway }),
      Effect.catch((cause) =>
        Effect.failCause(isSqlError(Cause.squash(cause)) ? Cause.die(Cause.squash(cause)) : cause)
      )
    )
  }) as Effect.Effect<A, Exclude<E, SqlError>, R>

const tell = Effect.fnUntraced(function* (told: Ref.Ref<boolean>, cause: Cause.Cause<unknown>) {
  if (yield* Ref.getAndSet(told, true)) return
  yield* Effect.logWarning("The database is away; waiting for it", reasonOf(cause))
})

const isSqlError = Predicate.isTagged("SqlError")

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
  const { reason } = error as unknown as SqlError
  return !lasting.has(reason._tag)
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
