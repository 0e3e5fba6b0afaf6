/** A unique name: 96 bits of Effect's randomness. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

export const make: Effect.Effect<string> = Effect.map(
  Effect.all([word(), word(), word()]),
  (words) => words.join("")
)

function word() {
  return Effect.map(Random.nextIntBetween(0, 0xffff_ffff), (number) =>
    number.toString(16).padStart(8, "0")
  )
}
