import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import * as Concurrency from "../../src/internal/slots/concurrency.ts"

const at = (rate: number, more: Partial<Concurrency.Observation> = {}) => ({
  rate,
  full: true,
  throttled: false,
  busy: false,
  ...more
})

const limits = (observations: ReadonlyArray<Concurrency.Observation>) => {
  let state = Concurrency.initial
  return observations.map((observation) => (state = Concurrency.step(state, observation)).limit)
}

describe("the limit", () => {
  const table: ReadonlyArray<
    readonly [string, ReadonlyArray<Concurrency.Observation>, ReadonlyArray<number>]
  > = [
    ["grows as long as more is faster", [at(1), at(3), at(9)], [16, 64, 64]],
    ["stays where one machine carries no more", [at(600e6), at(700e6)], [5, 5]],
    [
      "stays while the thread is busy",
      [
        at(1, { busy: true }),
        at(1),
        ...[3, 3, 3, 3, 3].map((rate) => at(rate, { busy: true })),
        at(3)
      ],
      [5, 16, 16, 16, 16, 16, 16, 64]
    ],
    [
      "goes back if more is not faster four times",
      [at(10), at(11), at(9), at(11), at(11), at(99)],
      [16, 16, 16, 16, 5, 5]
    ],
    [
      "waits for new connections to become fast",
      [at(10), at(10), at(11), at(30), at(90)],
      [16, 16, 16, 64, 64]
    ],
    [
      "goes back one level only",
      [at(1), at(3), at(3), at(3), at(3), at(3), at(9)],
      [16, 64, 64, 64, 64, 16, 16]
    ],
    ["stays while there is less to send", [at(1, { full: false }), at(1)], [5, 16]],
    ["halves when throttled", [at(1), at(3), at(3, { throttled: true }), at(9)], [16, 64, 32, 32]],
    [
      "never falls below where it began",
      [at(1, { throttled: true }), at(1, { throttled: true })],
      [5, 5]
    ],
    [
      "halves again and again",
      [at(1), at(3), ...Array.from({ length: 4 }, () => at(0, { throttled: true }))],
      [16, 64, 32, 16, 8, 5]
    ]
  ]
  it.each(table)("%s", (_, observations, expected) => {
    assert.deepStrictEqual(limits(observations), expected)
  })

  /** Observations until more is tried, after `state`. */
  const restAfter = (state: Concurrency.State) => {
    let rest = 0
    for (let next = state; next.limit <= state.limit; rest++) next = Concurrency.step(next, at(1))
    return rest
  }

  it("is raised again after a rest, twice as long each time, up to a longest one", () => {
    const rests: Array<number> = []
    let state = Concurrency.step(Concurrency.initial, at(1))
    for (let times = 0; times < 8; times++) {
      state = Concurrency.step(state, at(1, { throttled: true }))
      const rest = restAfter(state)
      rests.push(rest)
      for (let n = 0; n < rest; n++) state = Concurrency.step(state, at(1))
      assert.isAbove(state.limit, 5)
    }
    assert.deepStrictEqual(rests, [41, 81, 161, 321, 641, 1_281, 1_281, 1_281])
  })

  it("rests no longer because it was throttled many times in a row", () => {
    let state = Concurrency.initial
    for (let times = 0; times < 10; times++) {
      state = Concurrency.step(state, at(1, { throttled: true }))
    }
    assert.strictEqual(restAfter(state), 41)
  })

  it("is raised again after it was in vain", () => {
    let state = Concurrency.initial
    for (let times = 0; times < 5; times++) state = Concurrency.step(state, at(1))
    assert.strictEqual(state.limit, 5)
    assert.strictEqual(restAfter(state), 41)
  })

  const observations = Schema.Array(
    Schema.Struct({
      rate: Schema.Finite,
      full: Schema.Boolean,
      throttled: Schema.Boolean,
      busy: Schema.Boolean
    })
  )
  it.prop(
    "is between the least and the most, whatever happens, and does not rise for a while once throttled",
    { seen: Arbitrary.schema(observations) },
    ({ seen }) => {
      const all = limits(seen)
      assert.isTrue(all.every((limit) => limit >= 5 && limit <= 64))
      const throttled = seen.findIndex((observation) => observation.throttled)
      const after = throttled < 0 ? [] : all.slice(throttled, throttled + 40)
      assert.deepStrictEqual(
        after,
        after.toSorted((a, b) => b - a)
      )
    },
    { arbitrary: { runs: 200, seed: 1 } }
  )
})
