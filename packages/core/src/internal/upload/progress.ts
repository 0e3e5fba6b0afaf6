/**
 * Counts an upload's bytes, and makes `Progress` of the counts. The counting
 * is mutable, since it happens for each piece that is sent; the arithmetic of
 * rate and time left is pure.
 */
import type { Part } from "../../Part.ts"
import type { Progress } from "../../UploadEvent.ts"

/** What has been counted so far. */
export interface Counter {
  /** Of the source, in bytes; null while that isn't known. */
  total: number | null
  /** Recorded in the checkpoint, in bytes. */
  durable: number
  /** Of the durable ones, what an earlier run had sent, in bytes. */
  resumed: number
  /** Given to the network in this run, in bytes, each time it was sent. */
  onWire: number
  /** The most that `durable` and what was under way ever came to, in bytes. */
  sent: number
  /** Under way now, by part number, in bytes. */
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

/** Forgets what is durable: it is sent afresh. What was on the wire stays counted. */
export const restart = (counter: Counter): void => {
  counter.durable = 0
  counter.resumed = 0
  counter.sent = 0
  counter.underWay.clear()
}

/** A piece of a part was read to be sent; `offset` 0 begins a new attempt. */
export const sending = (counter: Counter, part: number, offset: number, bytes: number): void => {
  counter.onWire += bytes
  counter.underWay.set(part, offset + bytes)
  let underWay = 0
  for (const count of counter.underWay.values()) underWay += count
  counter.sent = Math.max(counter.sent, counter.durable + underWay)
}

/** A part is durable. */
export const durable = (counter: Counter, part: Part): void => {
  counter.underWay.delete(part.number)
  counter.durable += part.size
  counter.sent = Math.max(counter.sent, counter.durable)
}

/** Parts are durable from an earlier run. */
export const resumed = (counter: Counter, bytes: number): void => {
  counter.durable += bytes
  counter.resumed += bytes
  counter.sent = Math.max(counter.sent, counter.durable)
}

/** The object is stored; `total` is its size, in bytes. */
export const finished = (counter: Counter, total: number): void => {
  counter.underWay.clear()
  counter.total = total
  counter.durable = total
  counter.sent = total
}

/** A look at a counter: when, in milliseconds, what had been sent, in bytes, and how fast, in bytes a second. */
export interface Sample {
  readonly at: number
  readonly sent: number
  readonly rate: number
}

/** The rate follows a change within some five seconds. */
const smoothing = 5_000

/** The next sample: an exponentially weighted mean, whatever the time between two looks. */
export const sample = (previous: Sample, at: number, sent: number): Sample => {
  const elapsed = at - previous.at
  if (elapsed <= 0) return previous
  const now = (Math.max(0, sent - previous.sent) / elapsed) * 1_000
  const weight = previous.rate === 0 ? 1 : 1 - Math.exp(-elapsed / smoothing)
  return { at, sent, rate: previous.rate + weight * (now - previous.rate) }
}

/** A counter's counts as users see them. */
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
