/**
 * Counts an upload's bytes, and makes `Progress` of the counts. The counter is
 * mutable, because it changes with each piece that is sent. The computation of
 * the rate and the time left is pure.
 */
import type { Part } from "../../Part.ts"
import type { Progress } from "../../UploadEvent.ts"

/** The counts so far, in bytes. */
export interface Counter {
  /** The size of the source; null while it isn't known. */
  total: number | null
  /** Bytes that the checkpoint has recorded. */
  durable: number
  /** The durable bytes that an earlier run had sent. */
  resumed: number
  /** Bytes that this run has given to the network. Bytes that are sent again count again. */
  onWire: number
  /** The largest sum so far of `durable` and the bytes in flight. */
  sent: number
  /** Bytes in flight now, by part number. */
  readonly underWay: Map<number, number>
}

export const make = (total: number | null): Counter => ({
  total,
  durable: 0,
  resumed: 0,
  onWire: 0,
  sent: 0,
  underWay: new Map()
})

/** Sets the counts back, since all parts are sent again. `onWire` stays. */
export const restart = (counter: Counter): void => {
  counter.durable = 0
  counter.resumed = 0
  counter.sent = 0
  counter.underWay.clear()
}

/** Counts a piece of a part that is sent. `offset` 0 begins a new attempt. */
export const sending = (counter: Counter, part: number, offset: number, bytes: number): void => {
  counter.onWire += bytes
  counter.underWay.set(part, offset + bytes)
  let underWay = 0
  for (const count of counter.underWay.values()) underWay += count
  counter.sent = Math.max(counter.sent, counter.durable + underWay)
}

/** Counts a part that has become durable. */
export const durable = (counter: Counter, part: Part): void => {
  counter.underWay.delete(part.number)
  counter.durable += part.size
  counter.sent = Math.max(counter.sent, counter.durable)
}

/** Counts parts that are durable from an earlier run. */
export const resumed = (counter: Counter, bytes: number): void => {
  counter.durable += bytes
  counter.resumed += bytes
  counter.sent = Math.max(counter.sent, counter.durable)
}

/** Sets the counts once the object is stored. `total` is its size in bytes. */
export const finished = (counter: Counter, total: number): void => {
  counter.underWay.clear()
  counter.total = total
  counter.durable = total
  counter.sent = total
}

/** A sample of a counter: the time in milliseconds, the bytes sent, and the bytes a second. */
export interface Sample {
  readonly at: number
  readonly sent: number
  readonly rate: number
}

/** The rate follows a change within about five seconds. In milliseconds. */
const smoothing = 5_000

/** The next sample. Its rate is an exponentially weighted mean, for any time between samples. */
export const sample = (previous: Sample, at: number, sent: number): Sample => {
  const elapsed = at - previous.at
  if (elapsed <= 0) return previous
  const now = (Math.max(0, sent - previous.sent) / elapsed) * 1_000
  const weight = previous.rate === 0 ? 1 : 1 - Math.exp(-elapsed / smoothing)
  return { at, sent, rate: previous.rate + weight * (now - previous.rate) }
}

/** The `Progress` of a counter, as users see it. */
export const progress = (counter: Counter, rate: number): Progress => ({
  durable: counter.durable,
  sent: counter.sent,
  total: counter.total,
  rate: Math.round(rate),
  eta:
    rate > 0 && counter.total !== null
      ? Math.round(((counter.total - counter.sent) / rate) * 1_000)
      : null
})
