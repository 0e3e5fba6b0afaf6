/**
 * Makes sequential sources of streams and async iterables. Many of these can be
 * read only once and are empty the second time. Uploading the empty content
 * would replace a good object, so that is an error.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Length } from "../byteCount.ts"
import { byteCount } from "../byteCount.ts"
import type { Sequential, SequentialOptions, Source, SourceError } from "../../Source.ts"
import { unreadable } from "./errors.ts"

export const make = <E, R>(
  id: string,
  stream: Stream.Stream<Uint8Array, E, R>,
  options?: SequentialOptions
): Source<E, R> => ({
  name: id,
  open: Effect.map(Effect.context<R>(), (context) =>
    sequential(id, guarded(id, stream, Stream.provideContext(stream, context)), options)
  )
})

export const fromIterable = (
  id: string,
  make: () => AsyncIterable<unknown>,
  options?: SequentialOptions
): Source => {
  const failed = (cause: unknown) => unreadable(id, cause)
  const chunks = Stream.unwrap(
    Effect.try({ try: make, catch: failed }).pipe(
      Effect.tap((iterable) => fresh(id, iterable)),
      Effect.map((iterable) => Stream.fromAsyncIterable(iterable, failed))
    )
  )
  const bytes = Stream.mapEffect(chunks, (chunk) =>
    chunk instanceof Uint8Array
      ? Effect.succeed(chunk)
      : unreadable(id, `it yields a ${typeof chunk} where bytes are expected`)
  )
  return {
    name: id,
    open: Effect.sync(() => sequential<never>(id, guarded(id, make, bytes), options))
  }
}

/** Only the size of a stream can be known before it runs. */
export const sequential = <E>(
  id: string,
  bytes: Stream.Stream<Uint8Array, SourceError | E>,
  { size = null }: { readonly size?: Length | null | undefined } = {}
): Sequential<E> => ({
  _tag: "Sequential",
  id: `stream:${id}`,
  size: size === null ? null : byteCount(size),
  fingerprint: "",
  bytes
})

const advice = "make the source so that each reading begins at the start, with a new stream"

/** Iterables that have been read, at least in part. */
const consumed = new WeakSet<object>()

/** Fails if the iterable was read before, because it has only the rest of its content now. */
const fresh = (id: string, iterable: AsyncIterable<unknown>) =>
  Effect.suspend(() => {
    if (typeof iterable?.[Symbol.asyncIterator] !== "function") {
      return unreadable(id, "it is not an AsyncIterable")
    }
    if (consumed.has(iterable)) return unreadable(id, "it was read before", advice)
    consumed.add(iterable)
    return Effect.void
  })

/** The most bytes that one reading has produced in this process. */
const mostRead = new WeakMap<object, number>()

/**
 * Fails if a later reading ends early. Within one opening, it must not end
 * before an earlier reading did. The next opening may have other content, but
 * must not be empty.
 */
const guarded = <E, R>(
  id: string,
  origin: object,
  bytes: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<Uint8Array, SourceError | E, R> => {
  let most = 0
  return Stream.suspend(() => {
    const least = most === 0 ? Math.min(1, mostRead.get(origin) ?? 0) : most
    let read = 0
    const counted = Stream.mapArray(bytes, (chunks) => {
      for (const chunk of chunks) read += chunk.length
      most = Math.max(most, read)
      mostRead.set(origin, Math.max(mostRead.get(origin) ?? 0, read))
      return chunks
    })
    const atEnd = Stream.suspend((): Stream.Stream<never, SourceError> => {
      if (read >= least) return Stream.empty
      const description = `read again, it ends after ${read} bytes, and gave more before`
      return Stream.fail(unreadable(id, description, advice))
    })
    return Stream.concat(counted, atEnd)
  })
}
