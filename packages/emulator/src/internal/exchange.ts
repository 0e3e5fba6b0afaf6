/**
 * The frame of each request of both interfaces: it is logged, the scripted
 * faults strike it, and its end is recorded.
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Refusal } from "../EmulatorError.ts"
import type * as Fault from "../Fault.ts"
import type { Entry } from "../RequestLog.ts"
import * as Script from "./script.ts"

/** The subject of a request. */
export interface Call extends Script.Matcher {
  readonly operation: Fault.Operation
  readonly bucket?: string | undefined
}

/** The connection breaks here. */
export class Cut extends Data.TaggedError("Cut")<{}> {}

/** A fault answers in the server's place. */
export class Scripted extends Data.TaggedError("Scripted")<{ readonly answer: Script.Answer }> {}

/** The body could not be read to its end. `cause` is its reader's error. */
export class Unread<E> extends Data.TaggedError("Unread")<{ readonly cause: E }> {}

/** The common part of all answers. */
export interface Answered {
  /** The HTTP status. Default: 200. */
  readonly status?: number | undefined
  readonly crc64: Option.Option<bigint>
}

/** One request, while it is being carried out. */
export interface Attempt {
  readonly requestId: string
  /** The time of the server's clock, in milliseconds since 1970. */
  readonly now: Effect.Effect<number>
  /** The server's clock minus this machine's clock, in milliseconds. */
  readonly skew: number
  /** The body as the server receives it: counted, and struck by faults. */
  readonly receive: <E>(
    pieces: Stream.Stream<Uint8Array, E>
  ) => Stream.Stream<Uint8Array, Unread<E> | Disruption>
}

export type Disruption = Cut | Scripted

/** An error, and the request that it belongs to. */
export class Failed<E> extends Data.TaggedError("Failed")<{
  readonly attempt: Attempt
  readonly error: E
}> {}

/** Everything that can end a request without the answer it asked for. */
export type Failure<E = never> = Failed<Refusal | Disruption | Unread<E>>

/** The log, the faults, and the number of requests in flight. */
export interface Exchange {
  readonly inject: (faults: ReadonlyArray<Fault.Fault>) => Effect.Effect<void>
  readonly clearFaults: Effect.Effect<void>
  readonly log: Effect.Effect<ReadonlyArray<Entry>>
  readonly inFlight: Effect.Effect<number>
  readonly run: <A extends Answered, E>(
    call: Call,
    carryOut: (attempt: Attempt) => Effect.Effect<A, Refusal | Disruption | Unread<E>>,
    /** Runs during a stall. */
    whileStalled?: Effect.Effect<void>
  ) => Effect.Effect<{ readonly attempt: Attempt; readonly answer: A }, Failure<E>>
}

/** An entry that is still being written. */
type Draft = { -readonly [Field in keyof Entry]: Entry[Field] }

const copy = (draft: Draft): Entry => ({ ...draft })

/** `nextRequestId` must never return the same id twice. */
export const make = (
  nextRequestId: () => string,
  onEnd: (entry: Entry) => Effect.Effect<void> = () => Effect.void
) =>
  Effect.sync((): Exchange => {
    let script: Script.Script = []
    let inFlight = 0
    // Mutable, because a copy for each request would be quadratic. Readers get copies.
    const drafts: Array<Draft> = []

    const begin = (call: Call, time: number) => {
      const [actions, rest] = Script.next(script, call)
      script = rest
      inFlight++
      const draft: Draft = {
        ...call,
        time,
        requestId: nextRequestId(),
        inFlight,
        bytes: 0,
        whole: false,
        outcome: { _tag: "Open" }
      }
      drafts.push(draft)
      return { draft, actions }
    }

    return {
      inject: (faults) =>
        Effect.sync(
          () => void (script = [...script, ...faults.map((fault) => fault[Script.rule])])
        ),
      clearFaults: Effect.sync(() => void (script = [])),
      log: Effect.sync(() => drafts.map(copy)),
      inFlight: Effect.sync(() => inFlight),
      run: (call, carryOut, whileStalled = Effect.void) =>
        Effect.acquireUseRelease(
          Effect.map(Clock.currentTimeMillis, (time) => begin(call, time)),
          ({ draft, actions }) => {
            const strike = striker({ draft, actions, whileStalled })
            const attempt = attemptOf(draft, actions, strike)
            return strike(isAt("before")).pipe(
              Effect.andThen(carryOut(attempt)),
              Effect.tap(() => strike(isAt("after"))),
              Effect.map((answer) => ({ attempt, answer: tamper(answer, actions) })),
              Effect.mapError((error) => new Failed({ attempt, error }))
            )
          },
          ({ draft }, exit) =>
            Effect.flatMap(Clock.currentTimeMillis, (time) => {
              inFlight--
              end(draft, exit, time)
              return onEnd(copy(draft))
            })
        )
    }
  })

const end = <A extends { readonly answer: Answered }, E>(
  draft: Draft,
  exit: Exit.Exit<A, Failure<E>>,
  time: number
) => {
  draft.ended = time
  if (draft.outcome._tag === "Open") draft.outcome = outcomeOf(exit)
  const code = codeOf(exit)
  if (code !== undefined) draft.code = code
}

const codeOf = <A, E>(exit: Exit.Exit<A, Failure<E>>): string | undefined => {
  const failure = Exit.isFailure(exit) ? Option.getOrUndefined(failureOf(exit.cause)) : undefined
  if (failure?.error._tag === "Refusal") return failure.error.code
  const body = failure?.error._tag === "Scripted" ? failure.error.answer.body : undefined
  return body?._tag === "Error" ? body.code : undefined
}

const attemptOf = (
  draft: Draft,
  actions: ReadonlyArray<Script.Action>,
  strike: Strike
): Attempt => {
  const skew = actions.reduce(
    (sum, action) => sum + (action._tag === "Skew" ? action.millis : 0),
    0
  )
  return {
    requestId: draft.requestId,
    skew,
    now: Effect.map(Clock.currentTimeMillis, (millis) => millis + skew),
    receive: (pieces) => received({ draft, actions, strike, pieces })
  }
}

/** A fault inside the body strikes once that many bytes were read, or at the end of a shorter body. */
const received = <E>(options: {
  readonly draft: Draft
  readonly actions: ReadonlyArray<Script.Action>
  readonly strike: Strike
  readonly pieces: Stream.Stream<Uint8Array, E>
}): Stream.Stream<Uint8Array, Unread<E> | Disruption> =>
  Stream.suspend(() => {
    const { draft, actions, strike, pieces } = options
    let reached = -1
    const advance = (bytes: number) => {
      const from = reached
      reached = bytes
      return strike((at) => isInside(at) && from < at.bytes && at.bytes <= bytes)
    }
    const damaged = actions.some(({ _tag }) => _tag === "Damage")
    const counted = pieces.pipe(
      Stream.mapError((cause) => new Unread({ cause })),
      Stream.mapEffect((piece) => {
        const sent = damaged && draft.bytes === 0 ? invertFirst(piece) : piece
        draft.bytes += piece.length
        return Effect.as(advance(draft.bytes), sent)
      })
    )
    const end = Effect.suspend(() => {
      draft.whole = true
      return advance(Infinity)
    })
    return Stream.fromEffectDrain(advance(0)).pipe(
      Stream.concat(counted),
      Stream.concat(Stream.fromEffectDrain(end))
    )
  })

const isAt = (moment: "before" | "after") => (at: Script.Moment) => at === moment

const isInside = (at: Script.Moment): at is { readonly bytes: number } => typeof at === "object"

const invertFirst = (piece: Uint8Array): Uint8Array =>
  piece.map((byte, index) => (index === 0 ? byte ^ 0xff : byte))

/** Carries out the faults that are due, delays first. */
type Strike = (due: (at: Script.Moment) => boolean) => Effect.Effect<void, Disruption>

const striker =
  (options: {
    readonly draft: Draft
    readonly actions: ReadonlyArray<Script.Action>
    readonly whileStalled: Effect.Effect<void>
  }): Strike =>
  (due) => {
    const { draft, actions, whileStalled } = options
    const carryOut = (action: Script.Action): Effect.Effect<void, Disruption> => {
      switch (action._tag) {
        case "Delay":
          return Effect.sleep(action.millis)
        case "Stall":
          draft.outcome = { _tag: "Stalled" }
          return Effect.andThen(whileStalled, Effect.never)
        case "Drop":
          return Effect.fail(new Cut())
        case "Answer":
          return Effect.fail(new Scripted({ answer: action }))
        default:
          return Effect.void
      }
    }
    const now = actions.filter((action) => "at" in action && due(action.at)).sort(delaysFirst)
    return Effect.forEach(now, carryOut, { discard: true })
  }

const delaysFirst = (a: Script.Action, b: Script.Action) =>
  Number(b._tag === "Delay") - Number(a._tag === "Delay")

const tamper = <A extends Answered>(answer: A, actions: ReadonlyArray<Script.Action>): A => {
  const has = (tag: Script.Action["_tag"]) => actions.some(({ _tag }) => _tag === tag)
  if (has("NoCrc")) return { ...answer, crc64: Option.none() }
  return has("WrongCrc")
    ? { ...answer, crc64: Option.map(answer.crc64, (crc) => crc ^ 1n) }
    : answer
}

const outcomeOf = <A extends { readonly answer: Answered }, E>(
  exit: Exit.Exit<A, Failure<E>>
): Entry["outcome"] => {
  if (Exit.isSuccess(exit)) return { _tag: "Answered", status: exit.value.answer.status ?? 200 }
  return Option.match(failureOf(exit.cause), {
    onNone: (): Entry["outcome"] => ({ _tag: "Aborted" }),
    onSome: ({ error }): Entry["outcome"] => {
      switch (error._tag) {
        case "Refusal":
          return { _tag: "Answered", status: error.status }
        case "Scripted":
          return { _tag: "Answered", status: error.answer.status }
        case "Cut":
          return { _tag: "Dropped" }
        case "Unread":
          return { _tag: "Aborted" }
      }
    }
  })
}

const failureOf = <E>(cause: Cause.Cause<E>): Option.Option<E> =>
  Option.fromUndefinedOr(cause.reasons.find((reason) => reason._tag === "Fail")?.error)
