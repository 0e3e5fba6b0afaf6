/** Tells executions to pause, to go on, or to stop. */
import * as Effect from "effect/Effect"
import type { Execution } from "./execution.ts"
import * as Batch from "./batch.ts"
import * as Signals from "./signals.ts"

/** Pauses what is going, or has what is paused go on; anything else stays as it is. */
export const turn = Effect.fnUntraced(function* (execution: Execution, from: "Going" | "Paused") {
  yield* each(execution, (of) =>
    Effect.flatMap(Signals.state(of), (state) =>
      state._tag === from ? Signals.give(of, Signals.turn(state.turn), undefined) : Effect.void
    )
  )
})

/** Stops it for good. */
export const stop = Effect.fnUntraced(function* (execution: Execution) {
  yield* each(execution, (of) =>
    Effect.gen(function* () {
      const state = yield* Signals.state(of)
      yield* Signals.give(of, Signals.Stopped, "Cancelled")
      // One that waits for its turn has to be woken.
      if (state._tag === "Paused") yield* Signals.give(of, Signals.turn(state.turn), undefined)
    })
  )
})

/** An upload tells its ranges by itself; of a batch each slice is told, and the batch, whose status it is. */
const each = Effect.fnUntraced(function* <E, R>(
  execution: Execution,
  tell: (of: Signals.Of) => Effect.Effect<void, E, R>
) {
  if (execution.kind === "Upload") return yield* tell(Signals.upload(execution.id))
  yield* Batch.each(execution.id, execution, tell)
  yield* tell(Signals.batch(execution.id))
})
