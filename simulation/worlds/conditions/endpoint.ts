/** Endpoints that answer in unusual ways: each changes what the simulated OSS answers. */
import type { OssClient } from "@effect-oss/core/OssClient"
import type { Operation } from "@effect-oss/core/OssError"
import { NoSuchKey, NotOss, OssError, Transport } from "@effect-oss/core/OssError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Server } from "../../kernel/server.ts"
import * as OverHttp from "./overHttp.ts"

type Client = OssClient["Service"]

export interface Middlebox {
  readonly status: number
  /** OSS has carried the request out before. */
  readonly isLate: boolean
  left: number
}

export const noMiddlebox: Middlebox = { status: 0, isLate: false, left: 0 }

/** An endpoint whose behaviour changes while a world runs. */
export interface Endpoint {
  readonly server: Server
  /** Until when no request gets through. */
  awayUntil: number
  /** What answers instead of OSS, and how often still. */
  middlebox: Middlebox
  liesAboutObjects: boolean
  repeatsMarkers: boolean
  /** What lists over HTTP do. */
  lists: OverHttp.Lists | undefined
  /** What goes wrong over HTTP. */
  readonly troubles: OverHttp.Troubles
  /** Whether the last HEAD contradicted what is stored. */
  lied: boolean
}

export const make = (
  server: Server,
  given: {
    readonly noCrc64: boolean
    /** Whether processes talk to it over HTTP. */
    readonly overHttp: boolean
    readonly now: () => number
  }
): Endpoint => {
  const endpoint: Endpoint = {
    server: { ...server, client: server.client },
    awayUntil: 0,
    middlebox: noMiddlebox,
    liesAboutObjects: false,
    repeatsMarkers: false,
    lists: undefined,
    troubles: { trouble: undefined, left: 0, struck: 0 },
    lied: false
  }
  const client = given.noCrc64 ? withoutCrc64(server.client) : server.client
  const strange = withFailures(withLies(client, endpoint), endpoint, given.now)
  const face = given.overHttp ? OverHttp.make(server, endpoint, given) : undefined
  return Object.assign(endpoint, { server: { ...server, client: strange, face } })
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

/** Fails the requests that the network or a middlebox does not let through. */
const withFailures = (client: Client, endpoint: Endpoint, now: () => number): Client => {
  const reason = new Transport({ description: "the network is away" })
  const unless = <A, E>(operation: Operation, call: Effect.Effect<A, E>) =>
    Effect.suspend((): Effect.Effect<A, E | OssError> => {
      if (now() < endpoint.awayUntil) return Effect.fail(failure(client, operation, reason))
      const { middlebox } = endpoint
      if (middlebox.left === 0) return call
      middlebox.left--
      const { status, isLate } = middlebox
      const answer = Effect.fail(
        failure(client, operation, new NotOss({ status, server: "nginx" }), status)
      )
      return isLate ? Effect.andThen(Effect.exit(call), answer) : answer
    })
  return {
    ...client,
    initiate: (key, options) => unless("initiate", client.initiate(key, options)),
    uploadPart: (request) => unless("uploadPart", client.uploadPart(request)),
    listParts: (request) => unless("listParts", client.listParts(request)),
    complete: (request) => unless("complete", client.complete(request)),
    abort: (request) => unless("abort", client.abort(request)),
    listUploads: (request) => unless("listUploads", client.listUploads(request)),
    head: (key) => unless("head", client.head(key)),
    put: (request) => unless("put", client.put(request)),
    listObjects: (request) => unless("listObjects", client.listObjects(request)),
    delete: (key) => unless("delete", client.delete(key))
  }
}

const failure = (
  { bucket }: Client,
  operation: Operation,
  reason: OssError["reason"],
  status?: number
) => new OssError({ operation, bucket, reason, ...(status === undefined ? {} : { status }) })
