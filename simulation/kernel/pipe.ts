/** One direction of a connection: pieces arrive in order, each after its time on the way. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Lane } from "./scheduler.ts"

/** The connection was closed before the end. */
export class Broken extends Data.TaggedError("Broken")<{}> {}

export interface Pipe {
  /** Sends a piece; returns once there is room for another one. */
  readonly send: (piece: Uint8Array) => Effect.Effect<void>
  /** Nothing comes after what was sent. */
  readonly end: () => void
  /** Closes the connection: what was sent still arrives. After the end it changes nothing. */
  readonly cut: () => void
  /** What arrives. */
  readonly pieces: Stream.Stream<Uint8Array, Broken>
}

type Arrival = Uint8Array | "End" | "Cut"

export const make = (given: {
  /** Of the receiver. */
  readonly lane: Lane
  readonly now: () => number
  /** The time that so many bytes take, in milliseconds. */
  readonly travel: (bytes: number) => number
  /** The pieces that may be under way. */
  readonly room: number
}): Pipe => {
  const { lane, now, travel, room } = given
  const arrived: Array<Arrival> = []
  let onArrival: (() => void) | undefined
  let onRoom: (() => void) | undefined
  let underWay = 0
  let last = now()
  let closed = false

  const carry = (what: Arrival, bytes: number) => {
    last = Math.max(last, now() + travel(bytes))
    lane.after(last - now(), () => {
      arrived.push(what)
      onArrival?.()
    })
  }
  const close = (how: "End" | "Cut") => {
    if (closed) return
    closed = true
    carry(how, 0)
  }
  const arrival = Effect.callback<void>((resume) => {
    if (arrived.length > 0) return resume(Effect.void)
    onArrival = () => {
      onArrival = undefined
      resume(Effect.void)
    }
    return Effect.sync(() => {
      onArrival = undefined
    })
  })
  /** The end stays. */
  const take = Effect.gen(function* () {
    yield* arrival
    const [next] = arrived
    if (next === undefined || next === "End") return undefined
    if (next === "Cut") return yield* new Broken()
    arrived.shift()
    underWay--
    onRoom?.()
    return [next, undefined] as const
  })
  return {
    send: (piece) =>
      Effect.callback<void>((resume) => {
        if (closed) return resume(Effect.never)
        carry(piece, piece.length)
        if (++underWay < room) return resume(Effect.void)
        onRoom = () => {
          onRoom = undefined
          resume(Effect.void)
        }
        return Effect.sync(() => {
          onRoom = undefined
        })
      }),
    end: () => close("End"),
    cut: () => close("Cut"),
    pieces: Stream.unfold(undefined, () => take)
  }
}
