/**
 * Cuts a sequence into parts, each in a buffer of its own, so that it can be
 * sent again while the sequence goes on. There are never more buffers than one
 * for each part on its way, and one that is being filled.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as Part from "../Part.ts"
import type { Sequence, SourceError } from "../Source.ts"
import { changed } from "../SourceError.ts"
import { InvalidRequest } from "../UploadError.ts"

/** A part with its bytes. */
export interface Cut {
  readonly part: Part.Part
  /** Valid until `release`. */
  readonly bytes: Uint8Array
  /** The part is durable: its buffer may be filled anew. */
  readonly release: Effect.Effect<void>
}

export interface Cutter {
  /** The next part; none at the end. Waits for a buffer; not to be run twice at once. */
  readonly next: Effect.Effect<Option.Option<Cut>, SourceError | InvalidRequest>
}

/** Reads a sequence from the start, until the scope closes. */
export const make = Effect.fnUntraced(function* (options: {
  readonly source: Sequence
  readonly sourceName: string
  /** In bytes; of the first part, if the size isn't known. */
  readonly partSize: number
  readonly buffers: number
}): Effect.fn.Return<Cutter, InvalidRequest, Scope.Scope> {
  const { source, sourceName, partSize } = options
  const layout = yield* layoutOf(source.size, sourceName, partSize)
  const reader = yield* read(source.bytes)
  const buffers = pool(options.buffers)
  let number = 1

  const next = Effect.gen(function* () {
    const room = layout.part(number)
    if (room === undefined) {
      return (yield* reader.atEnd) ? Option.none() : yield* layout.tooLong
    }
    const buffer = yield* buffers.take(room.size)
    const filled = yield* reader.fill(buffer.subarray(0, room.size))
    yield* layout.check(room, filled, reader.atEnd)
    const release = buffers.give(buffer)
    if (filled === 0) return yield* Effect.as(release, Option.none())
    number++
    const part = { ...room, size: filled }
    return Option.some<Cut>({ part, bytes: buffer.subarray(0, filled), release })
  })
  return { next }
})

interface Layout {
  /** The part of that number if the sequence goes on for so long; undefined if there can be none. */
  readonly part: (number: number) => Part.Part | undefined
  /** There is more of the sequence than there are parts. */
  readonly tooLong: Effect.Effect<never, SourceError | InvalidRequest>
  /** Fails if so many bytes of a part mean that the sequence is not as long as it should be. */
  readonly check: (
    room: Part.Part,
    filled: number,
    atEnd: Effect.Effect<boolean, SourceError>
  ) => Effect.Effect<void, SourceError>
}

const layoutOf = (size: Option.Option<number>, name: string, partSize: number) =>
  Option.match(size, {
    onNone: () => Effect.succeed(growing(partSize)),
    onSome: (size) =>
      Effect.map(Effect.fromResult(Part.plan(size, partSize)), (plan) => declared(plan, name))
  })

const growing = (partSize: number): Layout => ({
  part: (number) => (number > Part.maxParts ? undefined : Part.growing(number, partSize)),
  tooLong: Effect.fail(
    new InvalidRequest({
      field: "partSize",
      problem: `the source does not fit into ${Part.maxParts} parts that begin with ${partSize} bytes`,
      remedy: "give a larger part size, or the source's size"
    })
  ),
  check: () => Effect.void
})

/** The last part is only given out once it is certain to be the last: it may be sent as the whole object. */
const declared = ({ size, parts }: Part.Plan, name: string): Layout => {
  const tooLong = Effect.suspend(() => changed(name, `it goes on after its ${size} bytes`))
  return {
    part: (number) => parts[number - 1],
    tooLong,
    check: (room, filled, atEnd) => {
      const end = room.offset + filled
      if (filled < room.size) return changed(name, `it ends after ${end} bytes instead of ${size}`)
      if (end < size) return Effect.void
      return Effect.flatMap(atEnd, (ended) => (ended ? Effect.void : tooLong))
    }
  }
}

/** Gives out a stream's bytes in whatever pieces are asked for. */
const read = Effect.fnUntraced(function* (bytes: Stream.Stream<Uint8Array, SourceError>) {
  const pull = yield* Stream.toPull(bytes)
  let arrived: Iterator<Uint8Array> = [].values()
  let rest: Uint8Array = new Uint8Array(0)
  const state = { ended: false }

  const pullMore = pull.pipe(
    Effect.map((chunks) => {
      arrived = chunks.values()
    }),
    Pull.catchDone(() =>
      Effect.sync(() => {
        state.ended = true
      })
    )
  )
  /** Without an effect: chunks may be many and small. */
  const advance = (): boolean => {
    while (rest.length === 0) {
      const next = arrived.next()
      if (next.done) return false
      rest = next.value
    }
    return true
  }
  return {
    /** How many bytes there were: fewer than there is room for only at the end. */
    fill: Effect.fnUntraced(function* (target: Uint8Array) {
      let filled = 0
      while (filled < target.length && !state.ended) {
        if (!advance()) yield* pullMore
        const piece = rest.subarray(0, target.length - filled)
        target.set(piece, filled)
        filled += piece.length
        rest = rest.subarray(piece.length)
      }
      return filled
    }),
    atEnd: Effect.gen(function* () {
      while (!advance() && !state.ended) yield* pullMore
      return rest.length === 0
    })
  }
})

/** At most `count` buffers, used again and again. */
const pool = (count: number) => {
  const permits = Semaphore.makeUnsafe(count)
  const free: Array<Uint8Array> = []
  return {
    take: (size: number) =>
      Effect.andThen(
        permits.take(1),
        Effect.try({
          try: () => {
            const buffer = free.pop()
            return buffer !== undefined && buffer.length >= size ? buffer : new Uint8Array(size)
          },
          catch: () =>
            new InvalidRequest({
              field: "partSize",
              problem: `there is no memory for a part of ${size} bytes`,
              remedy: "give a smaller part size, or less concurrency"
            })
        })
      ),
    give: (buffer: Uint8Array) =>
      Effect.suspend(() => {
        free.push(buffer)
        return Effect.asVoid(permits.release(1))
      })
  }
}
