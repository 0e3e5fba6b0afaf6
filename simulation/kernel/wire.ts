/**
 * The network between one process and the server: an `OssClient` whose requests
 * and answers travel, and may be lost. It is the library's own over HTTP where
 * the server has a face over HTTP; otherwise it stands above HTTP. A request that nobody waits for any more
 * is a stray: it is cut off, or the server still carries it out later.
 */
import * as Body from "@effect-oss/core/Body"
import { OssClient } from "@effect-oss/core/OssClient"
import type { Operation } from "@effect-oss/core/OssError"
import { OssError, Transport } from "@effect-oss/core/OssError"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as HttpClient from "./httpClient.ts"
import type { Lane } from "./scheduler.ts"
import type { Server } from "./server.ts"
import { show } from "./text.ts"

/** A request: about to be sent, sent, carried out, or answered. */
export interface Call {
  readonly call: Operation
  readonly partNumber?: number | undefined
  readonly uploadId?: string | undefined
  /** Of an Initiate: the metadata `request` of the upload that it makes. */
  readonly tag?: string | undefined
  readonly moment: "before" | "sent" | "carriedOut" | "answered"
}

/** What happens to a process at a point. `Lose` is for `carriedOut` only: the answer gets lost. */
export type Verdict = "Go" | "Die" | "Interrupt" | "Lose" | { readonly wait: number }

/** What happens to a stray request: it is never carried out, or some milliseconds later. */
export type Stray = "Cut" | { readonly after: number }

/** A line to the server, shared by its processes, behind a buffer that takes each body at once. */
export interface Line {
  readonly bytesPerMilli: number
  /** When the last byte in the buffer will have left. */
  busyUntil: number
}

/** The time until so many bytes have left the buffer, behind those that are in it, in milliseconds. */
const queue = (line: Line, now: number, bytes: number): number => {
  line.busyUntil = Math.max(now, line.busyUntil) + bytes / line.bytesPerMilli
  return line.busyUntil - now
}

export interface Given {
  readonly lane: Lane
  readonly server: Server
  readonly isAlive: () => boolean
  /** Reaches a point outside the fibers of the process. */
  readonly reach: (point: Call) => Verdict
  /** Passes a point as a step of a fiber. */
  readonly pass: (point: Call) => Effect.Effect<void>
  /** The time a request or an answer travels, in milliseconds. */
  readonly travel: () => number
  readonly stray: (call: Call) => Stray
  readonly line: Line | undefined
  /** Marks the uploads of this process, each with a number behind it. Default: not marked. */
  readonly tag?: string | undefined
  readonly now: () => number
  /** The server is done with a request; `awaited` if the process still waits for its answer. */
  readonly onCarriedOut: (call: Call, awaited: boolean) => void
  readonly onPart: (number: number) => void
  /** The pieces of a body that may be under way at once. */
  readonly room: () => number
  /** So many bytes of the body of an answer have been read. */
  readonly onTaken: (call: Call, status: number, bytes: number) => void
}

/** What both kinds of clients need of the network. */
export interface Options extends Given {
  /** The time that a body of so many bytes takes to leave, in milliseconds. */
  readonly transmission: (bytes: number) => number
}

export interface Wire {
  readonly client: OssClient["Service"]
  /** The process is gone: its requests become strays. */
  readonly abandon: () => void
  /** The number of requests that are not answered yet. */
  readonly calls: () => number
  /** Requests that travel to the server, as a JSON list; undefined while one is being carried out. */
  readonly underWay: () => string | undefined
}

/** A request that has left the process and is not answered. */
interface Sent {
  readonly call: Call
  readonly arrive: () => void
  arrived: boolean
  /** Stops the request, or its answer, on its way. */
  cancel: (() => void) | undefined
  fiber: Fiber.Fiber<unknown, unknown> | undefined
}

export type Send = <A, E, E2>(
  call: Call,
  request: Effect.Effect<A, E>,
  /** What a lost answer is to the client. */
  lost: () => E2,
  /** Of its body, in bytes; 0 if that travels by itself. */
  size?: number
) => Effect.Effect<A, E | E2>

export const make = (given: Given): Wire => {
  const { pass, line, now, server } = given
  const options: Options = {
    ...given,
    transmission: (bytes) => (line === undefined ? 0 : queue(line, now(), bytes))
  }
  const sent = new Set<Sent>()
  const send: Send = (call, request, lost, size = 0) =>
    pass(call).pipe(
      Effect.andThen(Effect.exit(exchange(options, sent, { call, request, lost, size }))),
      Effect.tap(() => pass({ ...call, moment: "answered" })),
      Effect.flatten
    )
  const http = server.face && HttpClient.make(options, server.face, send)
  return {
    client: http?.client ?? clientOf(options, send),
    abandon: () => {
      for (const request of sent) goAstray(options, request)
      sent.clear()
      http?.abandon()
    },
    calls: () => sent.size,
    underWay: () => {
      if (Array.from(sent).some(({ fiber }) => fiber !== undefined)) return undefined
      return show(Array.from(sent).flatMap(({ call, arrived }) => (arrived ? [] : [call])))
    }
  }
}

const goAstray = ({ stray, server }: Options, request: Sent) => {
  const fate = stray(request.call)
  const { cancel, fiber, arrive } = request
  cancel?.()
  if (fate !== "Cut" && !request.arrived) server.lane.after(fate.after, arrive)
  if (fate === "Cut" && fiber !== undefined) server.lane.post(() => fiber.interruptUnsafe())
}

/** A request travels, is carried out, and its answer travels back, each in its turn. */
const exchange = <A, E, E2>(
  options: Options,
  sent: Set<Sent>,
  given: {
    readonly call: Call
    readonly request: Effect.Effect<A, E>
    readonly lost: () => E2
    readonly size: number
  }
) =>
  Effect.callback<A, E | E2>((resume) => {
    const { lane, server, travel, reach, transmission } = options
    const { call, request, lost, size } = given
    const deliver = (answer: Effect.Effect<A, E | E2>) => {
      sent.delete(entry)
      resume(answer)
    }
    const carriedOut = (exit: Exit.Exit<A, E>) => {
      entry.fiber = undefined
      const awaited = sent.has(entry)
      options.onCarriedOut(call, awaited)
      if (!awaited) return
      const verdict = reach({ ...call, moment: "carriedOut" })
      if (verdict === "Die") return
      const answer = verdict === "Lose" ? Effect.fail(lost()) : exit
      entry.cancel = lane.after(travel(), () => deliver(answer))
    }
    const arrive = () => {
      entry.cancel = undefined
      entry.arrived = true
      const fiber = server.fork(request)
      entry.fiber = fiber
      fiber.addObserver(carriedOut)
    }
    const entry: Sent = { call, arrive, arrived: false, cancel: undefined, fiber: undefined }
    const millis = transmission(size)
    entry.cancel = server.lane.after(travel() + millis, arrive)
    sent.add(entry)
    // The request is under way now, and the process may die of something else before the answer comes.
    if (reach({ ...call, moment: "sent" }) === "Die") return undefined
    return Effect.sync(() => {
      sent.delete(entry)
      goAstray(options, entry)
    })
  })

const lostAnswer = (server: Server, operation: Operation) => () =>
  new OssError({
    operation,
    bucket: server.client.bucket,
    reason: new Transport({ description: "the answer got lost" })
  })

const plain = (operation: Operation): Call => ({ call: operation, moment: "before" })

const about = (operation: Operation, { uploadId }: { readonly uploadId: string }): Call => ({
  ...plain(operation),
  uploadId
})

const clientOf = (
  { server, isAlive, onPart, tag }: Options,
  sendAny: Send
): OssClient["Service"] => {
  const { client } = server
  const send = <A, E>(call: Call, request: Effect.Effect<A, E>, size?: number) =>
    sendAny(call, request, lostAnswer(server, call.call), size)
  let initiates = 0
  return OssClient.of({
    endpoint: client.endpoint,
    bucket: client.bucket,
    initiate: (key, given) => {
      if (tag === undefined) return send(plain("initiate"), client.initiate(key, given))
      return Effect.suspend(() => {
        const request = `${tag}/${++initiates}`
        const meta = { ...given?.meta, request }
        return send(
          { ...plain("initiate"), tag: request },
          client.initiate(key, { ...given, meta })
        )
      })
    },
    uploadPart: (part) => {
      const { number: partNumber, uploadId } = part
      const call: Call = { call: "uploadPart", partNumber, uploadId, moment: "before" }
      return Effect.suspend(() => {
        // A process that is killed comes to the end of its turn, but nothing sees what it does there.
        if (isAlive()) onPart(part.number)
        return Effect.flatMap(buffered(part.body), (body) =>
          send(call, client.uploadPart({ ...part, body }), body.size)
        )
      })
    },
    listParts: (request) => send(about("listParts", request), client.listParts(request)),
    complete: (request) => send(about("complete", request), client.complete(request)),
    abort: (request) => send(about("abort", request), client.abort(request)),
    listUploads: (request) => send(plain("listUploads"), client.listUploads(request)),
    head: (key) => send(plain("head"), client.head(key)),
    put: (request) =>
      Effect.flatMap(buffered(request.body), (body) =>
        send(plain("put"), client.put({ ...request, body }), body.size)
      ),
    listObjects: (request) => send(plain("listObjects"), client.listObjects(request)),
    delete: (key) => send(plain("delete"), client.delete(key))
  })
}

/** Reads the body once, in pieces, as into the buffers of the operating system. */
const buffered = Effect.fnUntraced(function* <E>(body: Body.Body<E>) {
  const bytes = new Uint8Array(body.size)
  for (let offset = 0; offset < body.size; offset += pieceSize) {
    yield* body.read(bytes.subarray(offset, offset + pieceSize), offset)
  }
  return Body.fromBytes(bytes)
})

/** As HTTP clients do, in bytes. */
const pieceSize = 64 * 1024
