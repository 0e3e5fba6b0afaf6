/**
 * The fake OSS of a world, on a lane of its own: what it has received it may
 * carry out whatever has become of the process that sent it.
 */
import { OssClient } from "@effect-oss/core/OssClient"
import * as OssEmulator from "@effect-oss/emulator/OssEmulator"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Kernel, Lane } from "./Kernel.ts"
import { show } from "./Story.ts"

export interface Server {
  readonly lane: Lane
  readonly client: OssClient["Service"]
  readonly emulator: OssEmulator.OssEmulator["Service"]
  /** What is stored under a key. */
  readonly object: (key: string) => OssEmulator.EmulatedObject | undefined
  readonly uploads: () => ReadonlyArray<OssEmulator.EmulatedUpload>
  /** All uploads, and what is stored under a key, as text. */
  readonly describe: (key: string) => string
  /** Starts a request in the server's turn. */
  readonly fork: <A, E>(request: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
}

const services = Effect.all([OssClient, OssEmulator.OssEmulator]).pipe(
  Effect.provide(OssEmulator.layerClient())
)

/** `afterTurn` sees what the server has done. */
export const make = (kernel: Kernel, afterTurn: () => void = () => undefined): Server => {
  const lane = kernel.lane("oss", { afterTurn })
  const [client, emulator] = Effect.runSync(services)
  const object = (key: string) =>
    Option.getOrUndefined(Effect.runSync(emulator.object(client.bucket, key)))
  const uploads = () => Effect.runSync(emulator.uploads(client.bucket))
  return {
    lane,
    client,
    emulator,
    object,
    uploads,
    describe: (key) => show([uploads(), object(key)?.etag]),
    fork: Effect.runForkWith(lane.context)
  }
}

/** The emulator keeps them in memory. */
export const bytesOf = (object: OssEmulator.EmulatedObject): Uint8Array =>
  Effect.runSync(Effect.orDie(object.bytes))
