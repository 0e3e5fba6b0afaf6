/**
 * The simulated OSS of a world: the emulator without I/O, on a lane of its own.
 * The server may carry out a request after the process that sent it has died.
 */
import type { OssClient } from "@effect-oss/core/OssClient"
import type * as OssEmulator from "@effect-oss/emulator/OssEmulator"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import { inProcess } from "../../packages/emulator/src/internal/inProcess.ts"
import type { Incoming } from "../../packages/emulator/src/internal/http/respond.ts"
import type { Face } from "./httpAnswer.ts"
import type { Lane, Scheduler } from "./scheduler.ts"
import { show } from "./text.ts"

export interface Server {
  readonly lane: Lane
  readonly client: OssClient["Service"]
  readonly emulator: OssEmulator.OssEmulator["Service"]
  /** Answers a request over HTTP. */
  readonly answer: (incoming: Incoming) => Effect.Effect<HttpServerResponse>
  /** What processes talk to over HTTP. Absent: their client stands above HTTP. */
  readonly face?: Face | undefined
  /** The object stored under a key. */
  readonly object: (key: string) => OssEmulator.EmulatedObject | undefined
  readonly uploads: () => ReadonlyArray<OssEmulator.EmulatedUpload>
  /** All uploads, and the object stored under a key, as text. */
  readonly describe: (key: string) => string
  /** Starts a request in the server's turn. */
  readonly fork: <A, E>(request: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
}

/** The one key that requests over HTTP are signed with. */
export const credential = { accessKeyId: "simulated", accessKeySecret: "secret" }

/** `afterTurn` runs after each of the server's turns. */
export const make = (scheduler: Scheduler, afterTurn: () => void = () => undefined): Server => {
  const lane = scheduler.lane("oss", { afterTurn })
  const { client, emulator, answer } = Effect.runSync(inProcess({ credentials: [credential] }))
  const object = (key: string) =>
    Option.getOrUndefined(Effect.runSync(emulator.object(client.bucket, key)))
  const uploads = () => Effect.runSync(emulator.uploads(client.bucket))
  return {
    lane,
    client,
    emulator,
    answer,
    object,
    uploads,
    describe: (key) => show([uploads(), object(key)?.etag]),
    fork: Effect.runForkWith(lane.context)
  }
}

/** The emulator keeps objects in memory, so that this needs no I/O. */
export const bytesOf = (object: OssEmulator.EmulatedObject): Uint8Array =>
  Effect.runSync(Effect.orDie(object.bytes))
