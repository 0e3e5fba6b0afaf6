/** The drawing loop. It pins the lines again several times a second. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Monotonic from "./monotonic.ts"
import type { Screen } from "../Screen.ts"
import type { Size } from "./size.ts"

const interval = "200 millis"

/**
 * The number of columns left free at the end of a line: a full line would wrap,
 * and the terminal shows Ctrl-C there as `^C`.
 */
export const spare = 3

/** Draws at once, and then repeatedly until the scope closes, which removes the lines. Returns an effect that draws now. */
export const loop = Effect.fnUntraced(function* (
  screen: Screen,
  lines: (now: number, size: Size) => ReadonlyArray<string>
) {
  if (Option.isNone(screen.size)) return { draw: Effect.void }
  const now = Effect.all([Monotonic.now, screen.size.value])
  const draw = Effect.flatMap(now, ([now, size]) => screen.pin(lines(now, size)))
  yield* Effect.addFinalizer(() => screen.pin([]))
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(draw, Effect.sleep(interval))))
  return { draw }
})
