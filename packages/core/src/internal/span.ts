/**
 * Makes spans only if there is a tracer. Spans are a tenth of the cost of a small
 * upload, and without a tracer nothing records them.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"

type Attributes = Readonly<Record<string, unknown>>

const isTraced = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  fiber.context.mapUnsafe.has(Tracer.Tracer.key) && fiber.getRef(References.TracerEnabled)

/** Runs an effect in a span of this name. */
export const within = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  name: string,
  attributes?: () => Attributes
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) =>
    isTraced(fiber)
      ? (Effect.withSpan(self, name, attributes && { attributes: attributes() }) as typeof self)
      : self
  )

/** Adds attributes to the span that `within` made. */
export const annotate = (attributes: () => Attributes): Effect.Effect<void> =>
  Effect.withFiber((fiber) =>
    isTraced(fiber) ? Effect.annotateCurrentSpan(attributes()) : Effect.void
  )
