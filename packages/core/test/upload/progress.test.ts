import { assert, describe, it } from "@effect/vitest"
import * as Progress from "../../src/internal/upload/progress.ts"

const part = (number: number) => ({ number, offset: 0, size: 100 })

describe("Meter", () => {
  it("never counts back when a part fails and starts again", () => {
    const meter = Progress.make(300)
    Progress.sending(meter, 1, 0, 60)
    Progress.sending(meter, 1, 60, 40)
    Progress.sending(meter, 2, 0, 50)
    assert.strictEqual(meter.sent, 150)
    Progress.sending(meter, 1, 0, 10)
    assert.strictEqual(meter.sent, 150)
    Progress.durable(meter, part(1))
    assert.deepStrictEqual([meter.durable, meter.sent, meter.onWire], [100, 150, 160])
  })

  it("counts what an earlier run had sent apart from what this one sent", () => {
    const meter = Progress.make(300)
    Progress.resumed(meter, 200)
    Progress.sending(meter, 3, 0, 100)
    Progress.durable(meter, part(3))
    assert.deepStrictEqual([meter.durable, meter.resumed, meter.onWire], [300, 200, 100])
  })

  it("starts from nothing after a restart, but keeps what was on the wire", () => {
    const meter = Progress.make(300)
    Progress.sending(meter, 1, 0, 100)
    Progress.durable(meter, part(1))
    Progress.restart(meter)
    assert.deepStrictEqual([meter.durable, meter.sent, meter.onWire], [0, 0, 100])
  })

  it("takes the first rate as it is, follows a change within seconds, and ignores a clock that stands still or goes back", () => {
    const start = { at: 0, sent: 0, rate: 0 }
    const first = Progress.sample(start, 1_000, 500)
    assert.strictEqual(first.rate, 500)
    let later = first
    for (let second = 2; second <= 21; second++)
      later = Progress.sample(later, second * 1_000, 500 + (second - 1) * 1_000)
    assert.closeTo(later.rate, 1_000, 20)
    assert.strictEqual(Progress.sample(later, later.at, 99_999), later)
    assert.strictEqual(Progress.sample(later, 0, 99_999), later)
  })

  it("tells the time left, and none while nothing moves", () => {
    const meter = Progress.make(1_000)
    Progress.resumed(meter, 400)
    assert.strictEqual(Progress.progress(meter, 200).eta, 3_000)
    assert.isNull(Progress.progress(meter, 0).eta)
  })
})
