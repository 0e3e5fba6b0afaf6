/** Sequential sources out of streams and async iterables. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Sequential, SequentialOptions, Source, SourceError } from "../../Source.ts"
import { unreadable } from "./errors.ts"

export const make = <E, R>(
  id: string,
  stream: Stream.Stream<Uint8Array, E, R>,
  options?: SequentialOptions
): Source<E, R> => ({
  name: id,
  open: Effect.map(Effect.context<R>(), (context) =>
    sequential(id, Stream.provideContext(stream, context), options)
  )
})

export const fromIterable = (
  id: string,
  make: () => AsyncIterable<unknown>,
  options?: SequentialOptions
): Source => {
  const failed = (cause: unknown) => unreadable(id, cause)
  const chunks = Stream.unwrap(
    Effect.map(Effect.try({ try: make, catch: failed }), (iterable) =>
      Stream.fromAsyncIterable(iterable, failed)
    )
  )
  const bytes = Stream.mapEffect(chunks, (chunk) =>
    chunk instanceof Uint8Array
      ? Effect.succeed(chunk)
      : unreadable(id, `it yields a ${typeof chunk} where bytes are expected`)
  )
  return { name: id, open: Effect.succeed(sequential<never>(id, bytes, options)) }
}

/** Only the size of a stream can be known before it is run. */
const sequential = <E>(
  id: string,
  bytes: Stream.Stream<Uint8Array, SourceError | E>,
  { size = null }: { readonly size?: number | null | undefined } = {}
): Sequential<E> => ({ _tag: "Sequential", id: `stream:${id}`, size, fingerprint: "", bytes })
