/**
 * The library's own client over simulated HTTP: it signs, writes and reads as
 * it does on a socket, and the bytes of bodies move when the scheduler lets
 * them. The server may answer at any time, whatever it has read.
 */
import { OssClient } from "@effect-oss/core/OssClient"
import * as OssClients from "@effect-oss/core/OssClient"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpBody } from "effect/http/HttpBody"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Bodies from "../../packages/core/src/internal/body.ts"
import type { Face } from "./httpAnswer.ts"
import * as Pipe from "./pipe.ts"
import { reset, SimulatedResponse } from "./response.ts"
import { credential } from "./server.ts"
import type { Call, Options, Send } from "./wire.ts"

/** What Node's engine hands over at once, in bytes. */
const pieceSize = 16 * 1024

export interface HttpWire {
  readonly client: OssClient["Service"]
  /** The process is gone: its connections are closed. */
  readonly abandon: () => void
}

export const make = (options: Options, face: Face, send: Send): HttpWire => {
  const { server, isAlive, onPart, tag } = options
  const { endpoint, bucket } = server.client
  const pipes = new Set<Pipe.Pipe>()
  const http = HttpClient.make((request, url) =>
    execute({ options, face, send, pipes }, request, url)
  )
  const client = Effect.runSync(
    Effect.provide(
      OssClient,
      OssClients.layer({
        endpoint,
        bucket,
        region: "cn-hangzhou",
        pathStyle: true,
        credentials: {
          accessKeyId: credential.accessKeyId,
          accessKeySecret: Redacted.make(credential.accessKeySecret)
        }
      }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, http)))
    )
  )
  let initiates = 0
  return {
    client: {
      ...client,
      initiate: (key, given) => {
        if (tag === undefined) return client.initiate(key, given)
        return Effect.suspend(() => {
          const request = `${tag}/${++initiates}`
          return client.initiate(key, { ...given, meta: { ...given?.meta, request } })
        })
      },
      uploadPart: (part) =>
        Effect.suspend(() => {
          if (isAlive()) onPart(part.number)
          return client.uploadPart(part)
        })
    },
    abandon: () => {
      for (const pipe of pipes) pipe.cut()
      pipes.clear()
    }
  }
}

interface Way {
  readonly options: Options
  readonly face: Face
  readonly send: Send
  readonly pipes: Set<Pipe.Pipe>
}

const execute = (way: Way, request: HttpClientRequest, url: URL) =>
  Effect.suspend(() => {
    const { options, face, send, pipes } = way
    const { server, now, room, travel, transmission, onTaken } = options
    const call = callOf(request, url)
    const pipe = Pipe.make({
      lane: server.lane,
      now,
      room: room(),
      travel: (bytes) => travel() + transmission(bytes)
    })
    pipes.add(pipe)
    const answering = face({
      method: request.method,
      url: url.pathname + url.search,
      headers: { host: url.host, ...request.headers },
      body: pipe.pieces
    })
    const failed = () =>
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.TransportError({ request, cause: reset })
      })
    return Effect.gen(function* () {
      const pump = yield* Effect.forkChild(pumped(request.body, pipe))
      const close = Effect.suspend(() => {
        pipes.delete(pipe)
        pipe.cut()
        return Fiber.interrupt(pump)
      })
      const answer = yield* Effect.ensuring(
        send(call, Effect.mapError(answering, failed), failed),
        close
      )
      return new SimulatedResponse({
        request,
        url: url.href,
        answer,
        wait: Effect.suspend(() => Effect.sleep(travel())),
        onTaken: (bytes) => onTaken(call, answer.status, bytes)
      })
    })
  })

/** Hands the body over, piece by piece; one that can't be read breaks the connection. */
const pumped = (body: HttpBody, pipe: Pipe.Pipe): Effect.Effect<void> =>
  Stream.runForEach(piecesOf(body), pipe.send).pipe(
    Effect.matchCause({ onSuccess: pipe.end, onFailure: pipe.cut })
  )

const piecesOf = (body: HttpBody): Stream.Stream<Uint8Array, unknown> => {
  const pulled = Option.getOrUndefined(Bodies.behind(body))
  if (pulled !== undefined) {
    const { size, read } = pulled
    return Stream.unfold(0, (offset) => {
      if (offset >= size) return Effect.undefined
      const target = new Uint8Array(Math.min(pieceSize, size - offset))
      return Effect.as(read(target, offset), [target, offset + target.length] as const)
    })
  }
  if (body._tag === "Uint8Array") return Stream.succeed(body.body)
  return body._tag === "Stream" ? body.stream : Stream.empty
}

/** What the request is about. */
const callOf = ({ method, headers }: HttpClientRequest, { searchParams }: URL): Call => {
  const uploadId = searchParams.get("uploadId") ?? undefined
  const about = { uploadId, moment: "before" } as const
  switch (method) {
    case "HEAD":
      return { ...about, call: "head" }
    case "DELETE":
      return { ...about, call: "abort" }
    case "POST":
      return uploadId === undefined
        ? { ...about, call: "initiate", tag: headers["x-oss-meta-request"] }
        : { ...about, call: "complete" }
    case "PUT":
      return uploadId === undefined
        ? { ...about, call: "put" }
        : { ...about, call: "uploadPart", partNumber: Number(searchParams.get("partNumber")) }
    default:
      return { ...about, call: uploadId === undefined ? "listUploads" : "listParts" }
  }
}
