/**
 * Cuts a sequence into parts, each in memory of its own, so that it can be sent
 * again while the sequence goes on. There are never more in memory than those
 * on their way, and one that is being filled; fewer if parts have grown large.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Body from "../../Body.ts"
import * as Part from "../../Part.ts"
import type { Sequence, SourceError } from "../../Source.ts"
import { changed } from "../../SourceError.ts"
import { InvalidRequest } from "../../UploadError.ts"
import * as Blocks from "./bufferPool.ts"

/** A part with its bytes. */
export interface Cut {
  readonly part: Part.Part
  /** Valid until `release`. */
  readonly body: Body.Body
  /** The part is durable: its memory may be used anew. */
  readonly release: Effect.Effect<void>
}

export interface Cutter {
  /** The next part; none at the end. Waits for memory; not to be run twice at once. */
  readonly next: Effect.Effect<Option.Option<Cut>, SourceError | InvalidRequest>
}

/** Reads a sequence from the start, until the scope closes. */
export const make = Effect.fnUntraced(function* (options: {
  readonly source: Sequence
  readonly sourceName: string
  /** In bytes; of the first part, if the size isn't known. */
  readonly partSize: number
  readonly memory: Blocks.Options
}): Effect.fn.Return<Cutter, InvalidRequest, Scope.Scope> {
  const { source, sourceName, partSize } = options
  const layout = yield* layoutOf(source.size, sourceName, partSize)
  const reader = yield* read(source.bytes)
  const blocks = Blocks.make(options.memory)
  let number = 1

  const next = Effect.gen(function* () {
    const planned = layout.part(number)
    if (planned === undefined) {
      return (yield* reader.atEnd) ? Option.none() : yield* layout.tooLong
    }
    const { more, body, release } = yield* blocks.room(planned.size)
    const size = yield* reader.fill(more, planned.size)
    yield* layout.check(planned, size, reader.atEnd)
    if (size === 0) return yield* Effect.as(release, Option.none())
    number++
    return Option.some<Cut>({ part: { ...planned, size }, body: body(size), release })
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
    planned: Part.Part,
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
    check: (planned, filled, atEnd) => {
      const end = planned.offset + filled
      if (filled < planned.size)
        return changed(name, `it ends after ${end} bytes instead of ${size}`)
      if (end < size) return Effect.void
      return Effect.flatMap(atEnd, (ended) => (ended ? Effect.void : tooLong))
    }
  }
}

const nothing: Uint8Array = new Uint8Array(0)

/** Gives out a stream's bytes in whatever pieces are asked for. */
const read = Effect.fnUntraced(function* (bytes: Stream.Stream<Uint8Array, SourceError>) {
  const pull = yield* Stream.toPull(bytes)
  let arrived: Iterator<Uint8Array> = [].values()
  let rest = nothing
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
  /** At most so many of the bytes that have arrived; a view only where they don't fit as they are. */
  const take = (most: number): Uint8Array => {
    const all = rest
    rest = all.length <= most ? nothing : all.subarray(most)
    return all.length <= most ? all : all.subarray(0, most)
  }
  return {
    /** How many bytes there were: fewer than `size` only at the end. */
    fill: Effect.fnUntraced(function* (more: Blocks.Room["more"], size: number) {
      let filled = 0
      let block = nothing
      let used = 0
      while (filled < size && !state.ended) {
        if (!advance()) {
          yield* pullMore
          continue
        }
        if (used === block.length) {
          block = yield* more
          used = 0
        }
        const piece = take(Math.min(block.length - used, size - filled))
        block.set(piece, used)
        used += piece.length
        filled += piece.length
      }
      return filled
    }),
    atEnd: Effect.gen(function* () {
      while (!advance() && !state.ended) yield* pullMore
      return rest.length === 0
    })
  }
})
