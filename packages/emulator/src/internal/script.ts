/**
 * Runs a script of faults. It decides which faults strike a request, and which
 * stay for later ones. Pure: `exchange.ts` carries out the actions. The
 * simulation reads the rules too, to report what it has drawn.
 */
import type { Scope } from "../Fault.ts"

/** The requests that a fault strikes, and the subject of a request. */
export type Matcher = Pick<Scope, "operation" | "key" | "partNumber" | "uploadId">

/**
 * When something happens: before the body is read; once the server has read
 * this many bytes of it; or after the request has been carried out.
 */
export type Moment = "before" | "after" | { readonly bytes: number }

/** An action on a request. */
export type Action =
  | Answer
  | { readonly _tag: "Drop"; readonly at: Moment }
  | { readonly _tag: "Stall"; readonly at: Moment }
  | { readonly _tag: "Delay"; readonly at: Moment; readonly millis: number }
  | { readonly _tag: "Skew"; readonly millis: number }
  | { readonly _tag: "WrongCrc" }
  | { readonly _tag: "NoCrc" }
  | { readonly _tag: "Damage" }

/** An answer in place of the true one. */
export interface Answer {
  readonly _tag: "Answer"
  readonly at: "before" | "after"
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** OSS's XML error with this code, or this text. */
  readonly body:
    | { readonly _tag: "Error"; readonly code: string }
    | { readonly _tag: "Raw"; readonly text: string }
}

/** One fault, and how often it still passes and strikes. */
export interface Rule {
  readonly matcher: Matcher
  readonly skip: number
  readonly times: number
  readonly action: Action
}

/** The field of a fault that holds its rule. */
export const rule: unique symbol = Symbol.for("@effect-oss/emulator/Fault/rule")

/** In the order in which the faults were given. */
export type Script = ReadonlyArray<Rule>

/**
 * Returns the actions on a request, and the script for later requests. Of the
 * faults that are due, the first strikes; due delays and skews come on top. A
 * fault that has struck often enough leaves the script.
 */
export const next = (
  script: Script,
  request: Matcher
): readonly [actions: ReadonlyArray<Action>, script: Script] => {
  const actions: Array<Action> = []
  const rest: Array<Rule> = []
  let struck = false
  for (const fault of script) {
    if (!matches(fault.matcher, request)) rest.push(fault)
    else if (fault.skip > 0) rest.push({ ...fault, skip: fault.skip - 1 })
    else if (struck && !isAddition(fault.action)) rest.push(fault)
    else if (fault.times > 0) {
      struck ||= !isAddition(fault.action)
      actions.push(fault.action)
      if (fault.times > 1) rest.push({ ...fault, times: fault.times - 1 })
    }
  }
  return [actions, rest]
}

const isAddition = (action: Action) => action._tag === "Delay" || action._tag === "Skew"

const matches = (matcher: Matcher, request: Matcher): boolean =>
  (matcher.operation === undefined || matcher.operation === request.operation) &&
  (matcher.key === undefined || matcher.key === request.key) &&
  (matcher.partNumber === undefined || matcher.partNumber === request.partNumber) &&
  (matcher.uploadId === undefined || matcher.uploadId === request.uploadId)
