/** The input and the output of an answer: the request and the reply. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import type { Answered, Attempt, Disruption, Unread } from "../exchange.ts"
import type { Credential } from "../../OssEmulator.ts"
import type { StoreOptions, Verbs } from "../verbs.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { invalid, refuse } from "../wire/errors.ts"
import { storedHeaders } from "../wire/objectHeaders.ts"
import { type Callback, callbackOf, forbidsOverwrite } from "../wire/requestRules.ts"
import type { Head, Route } from "../wire/router.ts"
import type { Encoding } from "../wire/xml.ts"

/** A reply over HTTP. */
export interface Reply extends Answered {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?:
    | string
    | { readonly size: number; readonly stream: Stream.Stream<Uint8Array, PlatformError> }
    | undefined
}

export type Broken = Refusal | Disruption | Unread<unknown>

/** Sends the callback after an object is stored. Fails if the callback's server did. */
export type Call = (
  callback: Callback,
  facts: Readonly<Record<string, string | number>>
) => Effect.Effect<string, Refusal>

/** A request that passed admission. */
export interface Asked {
  readonly attempt: Attempt
  readonly verbs: Verbs
  readonly head: Head
  readonly route: Route
  readonly body: Stream.Stream<Uint8Array, Exclude<Broken, Refusal>>
  readonly call: Call
  readonly credentials: ReadonlyArray<Credential>
  /** The region that the emulator reports for its buckets. */
  readonly region: string
}

export interface Located extends Asked {
  readonly bucket: string
  readonly key: string
  readonly uploadId: string
  /** The version of the object. Default: the current one. */
  readonly versionId: string | undefined
  readonly parameter: (name: string) => string | undefined
  readonly encoding: Encoding
}

export type Answer = (asked: Located) => Effect.Effect<Reply, Broken>

export const reply = (fields: Partial<Reply>): Reply => ({
  crc64: Option.none(),
  headers: {},
  ...fields
})

/** The headers about a version; none in a bucket without versioning. */
export const versionHeaders = (found: {
  readonly versionId?: string | undefined
  readonly isMarker?: boolean | undefined
}): Readonly<Record<string, string>> => ({
  ...(found.versionId !== undefined && { "x-oss-version-id": found.versionId }),
  ...(found.versionId !== undefined && found.isMarker === true && { "x-oss-delete-marker": "true" })
})

/** For requests without a body. It still reads the body, because faults may wait there. */
export const bodiless =
  (answer: Answer): Answer =>
  (asked) =>
    Effect.andThen(Stream.runDrain(asked.body), answer(asked))

/** For requests with a small document. */
export const documented =
  (answer: (asked: Located, document: Uint8Array) => Effect.Effect<Reply, Broken>): Answer =>
  (asked) =>
    Effect.flatMap(Stream.mkUint8Array(asked.body), (document) => answer(asked, document))

/** The storage options of the request. */
export const storeOptions = ({ head }: Asked): Effect.Effect<StoreOptions, Refusal> =>
  Effect.map(Effect.fromResult(forbidsOverwrite(head.headers)), (forbidOverwrite) => ({
    headers: storedHeaders(head.headers),
    forbidOverwrite
  }))

export const requestedCallback = ({ head, parameter }: Located) =>
  Effect.fromResult(callbackOf(head.headers, parameter))

/** The body of a Put or of a part. Its length must be known, or the body must end by itself. */
export const contentOf = ({ head, body }: Asked) => {
  const { "content-length": length, "transfer-encoding": coding, "content-md5": md5 } = head.headers
  return length === undefined && coding === undefined
    ? Effect.fail(refuse("MissingContentLength"))
    : Effect.succeed({ pieces: body, md5 })
}

/** Reads a parameter that must be a whole number, at least 0. */
export const integer = ({ parameter }: Located, name: string, otherwise: number) => {
  const text = parameter(name) ?? ""
  if (text === "") return Effect.succeed(otherwise)
  return /^\d{1,15}$/.test(text)
    ? Effect.succeed(Number(text))
    : Effect.fail(invalid(name, text, `Argument ${name} must be an integer.`))
}
