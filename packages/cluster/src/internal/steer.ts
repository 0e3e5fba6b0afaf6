/** Pauses, resumes and stops executions. */
import * as Effect from "effect/Effect"
import type { Execution } from "./execution.ts"
import * as Batch from "./batch.ts"
import * as Signals from "./signals.ts"

/** Pauses an execution in state `Going`, or resumes one in state `Paused`. Does nothing in any other state. */
export const turn = Effect.fnUntraced(function* (execution: Execution, from: "Going" | "Paused") {
  yield* each(execution, (of) =>
    Effect.flatMap(Signals.state(of), (state) =>
      state._tag === from ? Signals.give(of, Signals.turn(state.turn), undefined) : Effect.void
    )
  )
})

/** Stops an execution for good. */
export const stop = Effect.fnUntraced(function* (execution: Execution) {
  yield* each(execution, (of) =>
    Effect.gen(function* () {
      const state = yield* Signals.state(of)
      yield* Signals.give(of, Signals.Stopped, "Cancelled")
      // A paused execution has to be woken.
      if (state._tag === "Paused") yield* Signals.give(of, Signals.turn(state.turn), undefined)
    })
  )
})

/** An upload passes the signal on to its ranges. A batch doesn't, so each slice gets the signal; the batch gets it for its status. */
const each = Effect.fnUntraced(function* <E, R>(
  execution: Execution,
  tell: (of: Signals.Of) => Effect.Effect<void, E, R>
) {
  if (execution.kind === "Upload") return yield* tell(Signals.upload(execution.id))
  yield* Batch.each(execution.id, execution, tell)
  yield* tell(Signals.batch(execution.id))
})
