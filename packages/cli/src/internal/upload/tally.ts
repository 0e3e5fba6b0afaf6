/** Counts the results of many uploads. */
import type { UploadError } from "@effect-oss/core/Upload"
import type * as UploadMany from "@effect-oss/core/UploadMany"
import * as Board from "@effect-oss/terminal/internal/board"
import type { SomeFailed } from "../CliFailure.ts"
import { UnderWay } from "../CliFailure.ts"
import type { Failure } from "../Explain.ts"
import { explain, gravest } from "../Explain.ts"
import type { Request } from "./items.ts"

type Event = UploadMany.Event<Request, UploadError>

const none: UploadMany.Totals = { _tag: "Totals", ...Board.empty.totals }

export class Tally {
  #totals = none
  #worst: SomeFailed["exitCode"] = 3
  /** How many bytes OSS has of each running file. */
  readonly #kept = new Map<object, number>()

  saw(event: Event): void {
    switch (event._tag) {
      case "Totals":
        this.#totals = event
        return
      case "Started":
        this.#kept.set(event.request, 0)
        return
      case "Resumed":
        this.#kept.set(event.request, event.bytes)
        return
      case "PartUploaded":
        this.#kept.set(event.request, event.durable)
        return
      case "Restarted":
        this.#kept.set(event.request, 0)
        return
      case "Failed":
        this.#worst = gravest(this.#worst, explain(this.failureOf(event)).exitCode) === 1 ? 1 : 3
        this.#kept.delete(event.request)
        return
      case "Completed":
      case "Skipped":
        this.#kept.delete(event.request)
        return
      default:
    }
  }

  /** The failure of a request. It has another explanation if its upload had begun. */
  failureOf({ request, error }: UploadMany.Failed<Request, UploadError>): Failure {
    return this.#kept.has(request) ? new UnderWay({ error }) : error
  }

  get totals(): UploadMany.Totals {
    return this.#totals
  }

  get worst(): SomeFailed["exitCode"] {
    return this.#worst
  }

  /** How many bytes OSS keeps of the running files. */
  get kept(): number {
    return Array.from(this.#kept.values()).reduce((sum, bytes) => sum + bytes, 0)
  }
}
