/**
 * A process of a world: one upload, or a sweep of old ones, over a real
 * checkpoint store on the simulated disk and a client of the fake OSS. Whatever it does outside itself
 * passes a numbered point, where it may be delayed, suspended or killed. A
 * killed process is gone at once: no finalizer of it runs, its lease stays, and
 * of the requests that it has sent some are still carried out.
 */
import * as Body from "@effect-oss/core/Body"
import { OssClient } from "@effect-oss/core/OssClient"
import { OssError, Transport } from "@effect-oss/core/OssError"
import type { Operation } from "@effect-oss/core/OssError"
import type { SourceError } from "@effect-oss/core/SourceError"
import * as Upload from "@effect-oss/core/Upload"
import type { UploadEvent, UploadResult } from "@effect-oss/core/UploadEvent"
import * as FsCheckpointStore from "@effect-oss/node-fs-store/FsCheckpointStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Path from "effect/Path"
import { Random } from "effect/Random"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import { System } from "../packages/node-fs-store/src/internal/process.ts"
import type { Dice } from "./Dice.ts"
import type * as Disk from "./Disk.ts"
import type { Kernel, Lane } from "./Kernel.ts"
import type { Machine } from "./Machine.ts"
import type { Server } from "./Server.ts"
import { show } from "./Story.ts"

/** Where checkpoints are on the simulated disk. */
export const directory = "/work/checkpoints"

/** A step of a process that others could see. */
export type Point = Disk.Operation | Call

/** A request: about to be sent, sent, carried out, or answered. */
export interface Call {
  readonly call: Operation
  readonly partNumber?: number | undefined
  readonly uploadId?: string | undefined
  readonly moment: "before" | "sent" | "carriedOut" | "answered"
}

/** What becomes of a process at a point. `Lose` is for `carriedOut` only: the answer gets lost. */
export type Verdict = "Go" | "Die" | "Interrupt" | "Lose" | { readonly wait: number }

/** What becomes of a request that nobody waits for any more: it is never carried out, or some milliseconds later. */
export type Stray = "Cut" | { readonly after: number }

/** What a process does: uploads, or gives up what is older than so many milliseconds. */
export type Work =
  | { readonly upload: Upload.UploadRequest<SourceError, FileSystem> }
  | { readonly sweep: number }

export interface Options {
  readonly name: string
  readonly kernel: Kernel
  readonly disk: Disk.Disk
  readonly server: Server
  readonly machine: Machine
  readonly dice: Dice
  readonly work: Work
  /** Called at each point, with its number, from 0. */
  readonly onPoint: (point: Point, number: number) => Verdict
  /** How long a request, or its answer, travels, in milliseconds. */
  readonly travel: () => number
  readonly stray: (call: Call) => Stray
  readonly onEvent: (event: UploadEvent) => void
  /** A request that the server is done with; `awaited` if somebody still waits for its answer. */
  readonly onCarriedOut: (call: Call, awaited: boolean) => void
  readonly onLog: (line: string) => void
  readonly onExit: (exit: Exit.Exit<UploadResult | undefined, Upload.UploadError>) => void
}

export interface Process {
  readonly name: string
  readonly lane: Lane
  readonly kill: () => void
  readonly isAlive: () => boolean
  /** Parts that are being sent, or are sent and not recorded yet. */
  readonly partsUnderWay: () => ReadonlySet<number>
  /** Its requests that are on their way to the server, as a JSON list; undefined while one is being carried out. */
  readonly underWay: () => string | undefined
  /** What it holds: none of it may be left once it has ended. */
  readonly holds: () => {
    readonly handles: number
    readonly turns: number
    readonly calls: number
    /** Whose removal the disk may have refused. */
    readonly leases: number
  }
}

/** A request that has left the process and is not answered. */
interface Sent {
  readonly call: Call
  readonly arrive: () => void
  arrived: boolean
  /** Its journey, or its answer's, can be called off. */
  cancel: (() => void) | undefined
  fiber: Fiber.Fiber<unknown, unknown> | undefined
}

export const start = (options: Options): Process => {
  const { name, kernel, disk, server, machine, dice } = options
  const lane = kernel.lane(name, { offset: () => machine.offset })
  const pid = machine.spawn()
  const sent = new Set<Sent>()
  const partsUnderWay = new Set<number>()
  let points = 0
  let alive = true
  let running: Fiber.Fiber<unknown, unknown> | undefined

  const kill = () => {
    if (!alive) return
    alive = false
    lane.halt()
    machine.processes.delete(pid)
    for (const request of sent) astray(request)
    sent.clear()
  }

  /** Nobody waits for it any more. */
  const astray = (request: Sent) => {
    const fate = options.stray(request.call)
    const { cancel, fiber, arrive } = request
    cancel?.()
    if (fate !== "Cut" && !request.arrived) server.lane.after(fate.after, arrive)
    if (fate === "Cut" && fiber !== undefined) server.lane.post(() => fiber.interruptUnsafe())
  }

  /** True if the process lives on. */
  const reach = (point: Point): Verdict => {
    const verdict = alive ? options.onPoint(point, points++) : "Die"
    if (verdict === "Die") kill()
    if (verdict === "Interrupt") lane.post(() => running?.interruptUnsafe())
    return verdict
  }

  const nextTurn = Effect.callback<void>((resume) => lane.post(() => resume(Effect.void)))

  const pass = (point: Point): Effect.Effect<void> =>
    Effect.suspend(() => {
      const verdict = reach(point)
      if (verdict === "Die") return Effect.never
      if (verdict === "Interrupt") return nextTurn
      return typeof verdict === "object" ? Effect.sleep(verdict.wait) : Effect.void
    })

  const view = disk.view({ pass, proc: machine.proc })

  const lost = (operation: Operation) =>
    new OssError({
      operation,
      bucket: server.client.bucket,
      reason: new Transport({ description: "the answer got lost" })
    })

  /** Over the wire: there, carried out, and back, each in its turn. */
  const exchange = <A, E>(call: Call, request: Effect.Effect<A, E>) =>
    Effect.callback<A, E | OssError>((resume) => {
      const deliver = (answer: Effect.Effect<A, E | OssError>) => {
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
        const answer = verdict === "Lose" ? Effect.fail(lost(call.call)) : exit
        entry.cancel = lane.after(options.travel(), () => deliver(answer))
      }
      const arrive = () => {
        entry.cancel = undefined
        entry.arrived = true
        const fiber = server.fork(request)
        entry.fiber = fiber
        fiber.addObserver(carriedOut)
      }
      const entry: Sent = { call, arrive, arrived: false, cancel: undefined, fiber: undefined }
      entry.cancel = server.lane.after(options.travel(), arrive)
      sent.add(entry)
      // The request is under way now, and the process may die of something else before the answer comes.
      if (reach({ ...call, moment: "sent" }) === "Die") return undefined
      return Effect.sync(() => {
        sent.delete(entry)
        astray(entry)
      })
    })

  const send = <A, E>(call: Call, request: Effect.Effect<A, E>) =>
    pass(call).pipe(
      Effect.andThen(Effect.exit(exchange(call, request))),
      Effect.tap(() => pass({ ...call, moment: "answered" })),
      Effect.flatten
    )

  const plain = (operation: Operation): Call => ({ call: operation, moment: "before" })

  const about = (operation: Operation, { uploadId }: { readonly uploadId: string }): Call => ({
    ...plain(operation),
    uploadId
  })

  const { client } = server
  const remote = OssClient.of({
    endpoint: client.endpoint,
    bucket: client.bucket,
    initiate: (key, given) => send(plain("initiate"), client.initiate(key, given)),
    uploadPart: (part) => {
      const { number: partNumber, uploadId } = part
      const call: Call = { call: "uploadPart", partNumber, uploadId, moment: "before" }
      return Effect.suspend(() => {
        // Whoever is killed comes to the end of his turn, but nobody sees what he does there.
        if (alive) partsUnderWay.add(part.number)
        return Effect.flatMap(buffered(part.body), (body) =>
          send(call, client.uploadPart({ ...part, body }))
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
        send(plain("put"), client.put({ ...request, body }))
      )
  })

  const onEvent = (event: UploadEvent) => {
    if (!alive) return
    if (event._tag === "PartUploaded") partsUnderWay.delete(event.number)
    options.onEvent(event)
  }

  const isOwnLease = (path: string) =>
    path.endsWith(".lease") &&
    new TextDecoder().decode(disk.bytes(path)).includes(`"pid":${pid},"host":"${machine.name}"`)

  const logger = Logger.make(({ message }) => alive && options.onLog(String(message)))
  const store = Layer.provide(
    FsCheckpointStore.layer({ directory }),
    Layer.merge(Layer.succeed(FileSystem, view.fileSystem), Path.layer)
  )
  const upload = (request: Upload.UploadRequest<SourceError, FileSystem>) =>
    Stream.runFold(
      Upload.events(request),
      (): UploadResult | undefined => undefined,
      (result, event) => {
        onEvent(event)
        return event._tag === "Completed" ? event.result : result
      }
    )
  const sweep = (olderThan: number) =>
    Effect.as(Upload.sweep({ olderThan, dryRun: false }), undefined)
  const { work } = options
  const program = Effect.provide("upload" in work ? upload(work.upload) : sweep(work.sweep), store)
  const context = Context.merge(
    lane.context,
    Context.make(Random, dice).pipe(
      Context.add(System, {
        pid,
        host: machine.name,
        exists: (id) => machine.processes.has(id),
        fileSystem: () => Effect.succeed(disk.fileSystem),
        look: () => Effect.succeed("Unknown" as const),
        uuid: dice.uuid
      }),
      Context.add(References.TracerEnabled, false),
      Context.add(Logger.CurrentLoggers, new Set([logger])),
      Context.add(FileSystem, view.fileSystem),
      Context.add(OssClient, remote)
    )
  )

  const process: Process = {
    name,
    lane,
    kill,
    isAlive: () => alive,
    partsUnderWay: () => partsUnderWay,
    underWay: () => {
      if (Array.from(sent).some(({ fiber }) => fiber !== undefined)) return undefined
      return show(Array.from(sent).flatMap(({ call, arrived }) => (arrived ? [] : [call])))
    },
    holds: () => ({
      handles: view.handles(),
      turns: lane.pending(),
      calls: sent.size,
      leases: disk.files(directory).filter(isOwnLease).length
    })
  }
  lane.post(() => {
    const fiber = Effect.runForkWith(context)(program)
    running = fiber
    fiber.addObserver((exit) => {
      if (!alive) return
      machine.processes.delete(pid)
      options.onExit(exit)
    })
  })
  return process
}

/** What the system's buffers do: the process reads its body once, in pieces, before anybody else sees it. */
const buffered = Effect.fnUntraced(function* <E>(body: Body.Body<E>) {
  const bytes = new Uint8Array(body.size)
  for (let offset = 0; offset < body.size; offset += pieceSize) {
    yield* body.read(bytes.subarray(offset, offset + pieceSize), offset)
  }
  return Body.fromBytes(bytes)
})

/** As HTTP clients do, in bytes. */
const pieceSize = 64 * 1024
