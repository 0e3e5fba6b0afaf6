/** HTTP as the server of a world sees it. */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Broken } from "./pipe.ts"

/** A request whose head has arrived. */
export interface Request {
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Its body, as it arrives. */
  readonly body: Stream.Stream<Uint8Array, Broken>
}

export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The pieces of the body, made as they are read. */
  readonly body: () => Iterable<Uint8Array>
  /** Whether the connection is closed behind the body, before its end. */
  readonly isCut: boolean
}

/** Answers a request, or breaks the connection. */
export type Face = (request: Request) => Effect.Effect<Answer, Broken>
