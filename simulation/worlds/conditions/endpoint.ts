/** Endpoints that answer in unusual ways: each changes what the simulated OSS answers. */
import type { OssClient } from "@effect-oss/core/OssClient"
import type { Operation } from "@effect-oss/core/OssError"
import { NoSuchKey, OssError, Transport } from "@effect-oss/core/OssError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Server } from "../../kernel/server.ts"

type Client = OssClient["Service"]

/** An endpoint whose behaviour changes while a world runs. */
export interface Endpoint {
  readonly server: Server
  /** Until when no request gets through. */
  awayUntil: number
  liesAboutObjects: boolean
  repeatsMarkers: boolean
  /** Whether the last HEAD contradicted what is stored. */
  lied: boolean
}

export const make = (
  server: Server,
  given: { readonly noCrc64: boolean; readonly now: () => number }
): Endpoint => {
  const endpoint: Endpoint = {
    server: { ...server, client: server.client },
    awayUntil: 0,
    liesAboutObjects: false,
    repeatsMarkers: false,
    lied: false
  }
  const client = given.noCrc64 ? withoutCrc64(server.client) : server.client
  const strange = withAbsence(withLies(client, endpoint), endpoint, given.now)
  return Object.assign(endpoint, { server: { ...server, client: strange } })
}

const none = { crc64: Option.none<bigint>() }

const withoutCrc64 = (client: Client): Client => ({
  ...client,
  uploadPart: (request) => Effect.map(client.uploadPart(request), (part) => ({ ...part, ...none })),
  listParts: (request) =>
    Effect.map(client.listParts(request), (page) => ({
      ...page,
      parts: page.parts.map((part) => ({ ...part, ...none }))
    })),
  complete: (request) => Effect.map(client.complete(request), (made) => ({ ...made, ...none })),
  head: (key) => Effect.map(client.head(key), (head) => ({ ...head, ...none })),
  put: (request) => Effect.map(client.put(request), (made) => ({ ...made, ...none }))
})

const withLies = (client: Client, endpoint: Endpoint): Client => ({
  ...client,
  head: (key) =>
    Effect.suspend(() => {
      endpoint.lied = false
      return Effect.flatMap(client.head(key), (head) => {
        endpoint.lied = endpoint.liesAboutObjects
        if (!endpoint.liesAboutObjects) return Effect.succeed(head)
        return head.size % 2 === 0
          ? Effect.succeed({ ...head, size: head.size + 7, crc64: Option.none() })
          : Effect.fail(failure(client, "head", new NoSuchKey({})))
      })
    }),
  listParts: (request) =>
    Effect.map(client.listParts(request), (page) =>
      endpoint.repeatsMarkers ? { ...page, next: Option.some(request.after ?? 1) } : page
    ),
  listUploads: (request) =>
    Effect.map(client.listUploads(request), (page) =>
      endpoint.repeatsMarkers
        ? { ...page, next: Option.some(request.after ?? { key: "a", uploadId: "A" }) }
        : page
    )
})

/** While the network is away, a request is never carried out. */
const withAbsence = (client: Client, endpoint: Endpoint, now: () => number): Client => {
  const reason = new Transport({ description: "the network is away" })
  const unless = <A, E>(operation: Operation, call: Effect.Effect<A, E>) =>
    Effect.suspend((): Effect.Effect<A, E | OssError> =>
      now() >= endpoint.awayUntil ? call : Effect.fail(failure(client, operation, reason))
    )
  return {
    ...client,
    initiate: (key, options) => unless("initiate", client.initiate(key, options)),
    uploadPart: (request) => unless("uploadPart", client.uploadPart(request)),
    listParts: (request) => unless("listParts", client.listParts(request)),
    complete: (request) => unless("complete", client.complete(request)),
    abort: (request) => unless("abort", client.abort(request)),
    listUploads: (request) => unless("listUploads", client.listUploads(request)),
    head: (key) => unless("head", client.head(key)),
    put: (request) => unless("put", client.put(request))
  }
}

const failure = ({ bucket }: Client, operation: Operation, reason: OssError["reason"]) =>
  new OssError({ operation, bucket, reason })
