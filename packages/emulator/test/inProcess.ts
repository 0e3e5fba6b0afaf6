/** The face without I/O, and one part that is sent through it. */
import { Body, OssClient, OssError } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { assert } from "@effect/vitest"
import { Effect, Result } from "effect"
import { bytesOf } from "./support.ts"

export const content = bytesOf(200_000)
export const body = Body.fromBytes(content)

export const emulated = <A, E>(
  effect: Effect.Effect<A, E, OssClient.OssClient | OssEmulator.OssEmulator>
) => Effect.provide(effect, OssEmulator.layerClient())

/** One part is sent while the faults are due; gives what came of it and what the server has. */
export const sendPart = (...faults: ReadonlyArray<Fault.Fault>) =>
  Effect.gen(function* () {
    const client = yield* OssClient.OssClient
    const emulator = yield* OssEmulator.OssEmulator
    const { uploadId } = yield* client.initiate("k")
    yield* emulator.inject(...faults)
    const part = { key: "k", uploadId, number: 1, body }
    const result = yield* Effect.result(client.uploadPart(part))
    const parts = (yield* emulator.uploads(client.bucket))[0]?.parts ?? []
    const entry = (yield* emulator.log).at(-1)
    return { result, stored: parts.map(({ crc64 }) => crc64), entry, uploadId }
  })

export const errorOf = <A>(result: Result.Result<A, OssError.OssError>) =>
  Result.match(result, {
    onSuccess: () => assert.fail("the request succeeded"),
    onFailure: (error) => error
  })
