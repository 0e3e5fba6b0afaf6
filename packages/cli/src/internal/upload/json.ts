/** Writes the events of many uploads as JSON, each with the key of its object. */
import type { UploadError } from "@effect-oss/core/Upload"
import { UploadEvent, UploadEventJson } from "@effect-oss/core/UploadEvent"
import type * as UploadMany from "@effect-oss/core/UploadMany"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Failure } from "../Explain.ts"
import { explain, isResumable } from "../Explain.ts"
import { Output } from "../Output.ts"
import { jsonLine } from "../json.ts"
import type { Request } from "./items.ts"

const encode = Schema.encodeEffect(UploadEventJson)

/**
 * Writes one event a line. Without `progress`, it omits samples. `failureOf`
 * explains a failure.
 */
export const jsonOfMany = (
  progress: boolean,
  failureOf: (failed: UploadMany.Failed<Request, UploadError>) => Failure
) =>
  Effect.map(Output, ({ out }) => (event: UploadMany.Event<Request, UploadError>) => {
    switch (event._tag) {
      case "Totals":
        return progress ? out(jsonLine(event)) : Effect.void
      case "Failed":
        return out(jsonLine(failedLine(event.request.key, failureOf(event))))
      case "Completed":
      case "Skipped": {
        const completed = UploadEvent.cases.Completed.make({ result: event.result })
        return line(out, completed, event.request.key)
      }
      default: {
        const { request, ...happened } = event
        return event._tag === "Progress" && !progress
          ? Effect.void
          : line(out, happened, request.key)
      }
    }
  })

const line = (out: Output["Service"]["out"], event: UploadEvent, key: string) =>
  Effect.flatMap(Effect.orDie(encode(event)), (value) =>
    out(jsonLine(Object.assign({}, value, { key })))
  )

const failedLine = (key: string, failure: Failure) => {
  const explanation = explain(failure)
  const { what, todo, exitCode } = explanation
  const resumable = isResumable(explanation)
  // Other files may have been sent.
  const ofMany = exitCode === 2 ? 3 : exitCode
  return { _tag: "Failed", key, message: what, remedy: todo, resumable, exitCode: ofMany }
}
