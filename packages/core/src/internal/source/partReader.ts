/**
 * Reads a sequential source in parts. Each part has its own memory, so it can be
 * sent again while the next part is read. The buffer pool limits how many parts
 * are in memory at once.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Body from "../../Body.ts"
import * as Part from "../../Part.ts"
import type { Sequential, SourceError } from "../../Source.ts"
import { changed, unreadable } from "./errors.ts"
import { InvalidRequest } from "../../UploadError.ts"
import * as BufferPool from "./bufferPool.ts"
import type { Memory } from "./memory.ts"
import * as Parts from "../parts.ts"

/** A part with its bytes. */
export interface BufferedPart {
  readonly part: Part.Part
  /** Valid until `release`. */
  readonly body: Body.Body
  /** Returns the memory. Call it when the part is durable. */
  readonly release: Effect.Effect<void>
}

export interface PartReader {
  /** Reads the next part. None at the end of the source. Waits for memory. Don't run it twice at once. */
  readonly next: Effect.Effect<Option.Option<BufferedPart>, SourceError | InvalidRequest>
}

/** Reads a source from the start, until the scope closes. */
export const make = Effect.fnUntraced(function* (options: {
  readonly source: Sequential
  readonly sourceName: string
  /** The part size in bytes. If the size isn't known, the size of the first part. */
  readonly partSize: number
  readonly memory: Omit<BufferPool.Options, "account">
  /** The memory budget that uploads share. Default: no limit besides `memory`. */
  readonly budget?: Memory | undefined
}): Effect.fn.Return<PartReader, InvalidRequest, Scope.Scope> {
  const { source, sourceName, partSize, memory, budget } = options
  if (budget !== undefined && partSize > budget.bytes) return yield* tooLarge(partSize, budget)
  const layout = yield* layoutOf(source.size, sourceName, partSize)
  const reader = yield* read(source.bytes, sourceName)
  const account = budget === undefined ? undefined : yield* budget.open
  const pool = BufferPool.make({ ...memory, account })
  let number = 1

  const next = Effect.gen(function* () {
    const planned = layout.part(number)
    if (planned === undefined) {
      return (yield* reader.atEnd) ? Option.none() : yield* layout.tooLong
    }
    // A stream that is idle takes no memory from other uploads.
    if (yield* reader.atEnd) {
      yield* layout.check(planned, 0, reader.atEnd)
      return Option.none()
    }
    const { grow, body, release } = yield* pool.acquire(planned.size)
    const size = yield* reader.fill(grow, planned.size)
    yield* layout.check(planned, size, reader.atEnd)
    if (size === 0) return yield* Effect.as(release, Option.none())
    number++
    return Option.some<BufferedPart>({ part: { ...planned, size }, body: body(size), release })
  })
  return { next }
})

const tooLarge = (partSize: number, { bytes }: Memory) =>
  new InvalidRequest({
    field: "partSize",
    problem: `a part of ${partSize} bytes does not fit into the ${bytes} bytes of memory that all uploads share`,
    remedy: "give a smaller part size, or more memory to UploadDefaults"
  })

/** The parts of a source. */
export interface Layout {
  /** The part with this number, if the source has enough bytes; undefined if there can be no such part. */
  readonly part: (number: number) => Part.Part | undefined
  /** The error of a source that has more bytes than the parts hold. */
  readonly tooLong: Effect.Effect<never, SourceError | InvalidRequest>
  /** Fails if a part with `filled` bytes shows that the source is shorter or longer than declared. */
  readonly check: (
    planned: Part.Part,
    filled: number,
    atEnd: Effect.Effect<boolean, SourceError>
  ) => Effect.Effect<void, SourceError>
}

const layoutOf = (
  size: number | null,
  name: string,
  partSize: number
): Effect.Effect<Layout, InvalidRequest> =>
  size === null
    ? Effect.succeed(growing(partSize))
    : Effect.map(Effect.fromResult(Part.plan(size, partSize)), (plan) => declared(plan, name))

/** The parts of a source whose length isn't known. */
export const growing = (partSize: number): Layout => ({
  part: (number) => (number > Parts.maxParts ? undefined : Parts.growing(number, partSize)),
  tooLong: Effect.fail(
    new InvalidRequest({
      field: "partSize",
      problem: `the source does not fit into ${Parts.maxParts} parts that begin with ${partSize} bytes`,
      remedy: "give a larger part size, or the source's size"
    })
  ),
  check: () => Effect.void
})

/**
 * The last part is returned only after the source has ended, because it may be
 * sent as the whole object.
 */
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

const asBytes = "make bytes of it, for instance with Stream.encodeText"

const nothing: Uint8Array = new Uint8Array(0)

/** Reads a stream's bytes in pieces of any size. */
const read = Effect.fnUntraced(function* (
  bytes: Stream.Stream<Uint8Array, SourceError>,
  name: string
) {
  const pull = yield* Stream.toPull(bytes)
  let arrived: Iterator<Uint8Array> = [].values()
  let rest = nothing
  const state = { ended: false }

  const pullMore = pull.pipe(
    Effect.flatMap((chunks) => {
      // In JavaScript, a stream may contain text, which would become zeros.
      const other = chunks.find((chunk: unknown) => !(chunk instanceof Uint8Array))
      if (other !== undefined) {
        return unreadable(name, `it yields a ${typeof other} where bytes are expected`, asBytes)
      }
      arrived = chunks.values()
      return Effect.void
    }),
    Pull.catchDone(() =>
      Effect.sync(() => {
        state.ended = true
      })
    )
  )
  /** A plain function, because chunks may be many and small. */
  const advance = (): boolean => {
    while (rest.length === 0) {
      const next = arrived.next()
      if (next.done) return false
      rest = next.value
    }
    return true
  }
  /** Takes at most this many of the bytes that have arrived. Makes a view only if a chunk doesn't fit as it is. */
  const take = (most: number): Uint8Array => {
    const all = rest
    rest = all.length <= most ? nothing : all.subarray(most)
    return all.length <= most ? all : all.subarray(0, most)
  }
  return {
    /** Returns the number of bytes read: fewer than `size` only at the end. */
    fill: Effect.fnUntraced(function* (grow: BufferPool.PartBuffer["grow"], size: number) {
      let filled = 0
      let block = nothing
      let used = 0
      while (filled < size && !state.ended) {
        if (!advance()) {
          yield* pullMore
          continue
        }
        if (used === block.length) {
          block = yield* grow
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
