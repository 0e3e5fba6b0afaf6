/** Counts the events of many uploads, and samples the totals. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { UploadEvent, UploadResult } from "../../UploadEvent.ts"
import * as Monotonic from "../monotonic.ts"
import * as Meter from "./progress.ts"
import { sampleEvery } from "./run.ts"

interface Active {
  readonly total: number
  readonly durable: number
  readonly sent: number
  readonly resumed: number
}

const begun: Active = { total: 0, durable: 0, sent: 0, resumed: 0 }

/** The counts. They are mutable, because they change with each event. */
export class Tally {
  #completed = 0
  #skipped = 0
  #failed = 0
  /** The bytes of uploads that have ended. */
  #ended = { total: 0, durable: 0, sent: 0 }
  readonly #active = new Map<object, Active>()

  begin(request: object): void {
    this.#active.set(request, begun)
  }

  saw(request: object, event: UploadEvent): void {
    const active = this.#active.get(request) ?? begun
    this.#active.set(request, after(active, event))
  }

  succeeded(request: object, { size, sent, skipped }: UploadResult): void {
    this.#active.delete(request)
    this.#ended.total += size
    this.#ended.durable += size
    this.#ended.sent += sent
    if (skipped === true) this.#skipped++
    else this.#completed++
  }

  /** Its bytes count as sent, but not as durable. */
  failed(request: object): void {
    const { total, sent, resumed } = this.#active.get(request) ?? begun
    this.#active.delete(request)
    this.#ended.total += total
    this.#ended.sent += Math.max(0, sent - resumed)
    this.#failed++
  }

  now() {
    const counts = {
      completed: this.#completed,
      skipped: this.#skipped,
      failed: this.#failed,
      underWay: this.#active.size,
      ...this.#ended
    }
    for (const { total, durable, sent, resumed } of this.#active.values()) {
      counts.total += total
      counts.durable += durable
      counts.sent += Math.max(0, sent - resumed)
    }
    return counts
  }
}

/** While the size isn't known, the bytes sent so far count as the total. */
const after = (active: Active, event: UploadEvent): Active => {
  switch (event._tag) {
    case "Started":
      return { ...begun, total: event.size ?? 0 }
    case "Resumed":
      return { ...active, durable: event.bytes, sent: event.bytes, resumed: event.bytes }
    case "Restarted":
      return { ...begun, total: active.total }
    case "Progress": {
      const { durable, sent, total } = event
      return { ...active, durable, sent, total: total ?? Math.max(active.total, sent) }
    }
    default:
      return active
  }
}

/** Samples the totals five times a second, and on demand. */
export const sampled = (tally: Tally) => {
  let last: Meter.Sample | undefined
  const now = Effect.map(Monotonic.now, (at) => {
    const counts = tally.now()
    last = Meter.sample(last ?? { at: at - 1, sent: counts.sent, rate: 0 }, at, counts.sent)
    return { _tag: "Totals" as const, ...counts, rate: Math.round(last.rate) }
  })
  return { now, ticks: Stream.fromEffectRepeat(Effect.delay(now, sampleEvery)) }
}
