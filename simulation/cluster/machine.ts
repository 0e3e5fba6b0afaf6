/**
 * A machine that a runner lives on. Whatever the runner hears of the world
 * passes its gate: the time, the storage of messages and of locks, OSS's
 * responses. A machine that is suspended, or killed, hears nothing, and so does
 * nothing; what it has asked for already is carried out, or lost.
 */
import { Clock, Effect, Exit, Fiber, Latch, Layer, Scope } from "effect"
import { MessageStorage, RunnerStorage, Snowflake } from "effect/cluster"
import { Buckets } from "@effect-oss/cluster"

export interface Machine {
  readonly suspend: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** Its requests on their way are lost, or carried out without it. */
  readonly kill: (requests: "lost" | "carriedOut") => Effect.Effect<void>
  /** What the runner on it gets, instead of the world's own. */
  readonly layer: Layer.Layer<
    MessageStorage.MessageStorage | RunnerStorage.RunnerStorage | Buckets.Buckets,
    never,
    MessageStorage.MemoryDriver | RunnerStorage.RunnerStorage | Buckets.Buckets
  >
}

/** How long a request takes to OSS, and its response back: so long that a runner is struck while it waits. */
const wayMillis = 2_000

export const make = Effect.gen(function* () {
  const gate = yield* Latch.make(true)
  const requests = yield* Scope.make()
  const clock = yield* Clock.Clock

  const own: Clock.Clock = {
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
    currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
    currentTimeMillis: clock.currentTimeMillis,
    currentTimeNanos: clock.currentTimeNanos,
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => Effect.andThen(clock.sleep(duration), gate.await)
  }

  const gated = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    gate.await.pipe(
      Effect.andThen(effect),
      Effect.onExit(() => gate.await)
    )

  /** A request lives on the network: it goes on while its sender hears nothing. */
  const sent = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    gated(
      effect.pipe(
        Effect.delay(wayMillis),
        Effect.exit,
        Effect.tap(Effect.sleep(wayMillis)),
        Effect.flatten,
        Effect.provideService(Clock.Clock, clock),
        Effect.forkIn(requests),
        Effect.flatMap((fiber) =>
          Effect.onInterrupt(Fiber.join(fiber), () => Fiber.interrupt(fiber))
        )
      )
    )

  return {
    suspend: Effect.asVoid(gate.close),
    resume: Effect.asVoid(gate.open),
    kill: (fate) =>
      Effect.andThen(gate.close, fate === "lost" ? Scope.close(requests, Exit.void) : Effect.void),
    layer: Layer.mergeAll(
      messages(wrapped(gated)),
      Layer.effect(
        RunnerStorage.RunnerStorage,
        Effect.map(RunnerStorage.RunnerStorage, wrapped(gated))
      ),
      Layer.effect(
        Buckets.Buckets,
        Effect.map(Buckets.Buckets, ({ client, check }) => ({
          client: (bucket) => Effect.map(client(bucket), wrapped(sent)),
          check
        }))
      ),
      Layer.succeed(Clock.Clock, own)
    )
  } satisfies Machine
})

/** Each process reads what others have stored from the database, and hears of it in no other way. */
export const messages = (access: <S extends object>(database: S) => S) =>
  Layer.effect(
    MessageStorage.MessageStorage,
    Effect.flatMap(MessageStorage.MemoryDriver, ({ encoded }) =>
      MessageStorage.makeEncoded(access(encoded))
    )
  ).pipe(Layer.provide(Snowflake.layerGenerator))

/** The service, of which each effect, and each function that yields one, passes through. */
const wrapped =
  (through: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) =>
  <S extends object>(service: S): S => {
    const pass = (value: unknown) => (Effect.isEffect(value) ? through(value) : value)
    const entries = Object.entries(service).map(([name, value]) => [
      name,
      typeof value === "function"
        ? (...args: ReadonlyArray<unknown>) => pass(value(...args))
        : pass(value)
    ])
    return Object.assign(Object.create(Object.getPrototypeOf(service)), Object.fromEntries(entries))
  }
