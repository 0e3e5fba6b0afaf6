/** A slow line before an OSS: it takes bytes at once, as far as its buffer goes, and passes them on slowly. */
import { Body, OssClient } from "@effect-oss/core"
import { Clock, Effect, Layer } from "effect"

export interface Options {
  /** Of the whole line, in bytes a second. */
  readonly rate: number
  /** For each transfer, in bytes: a proxy's may be endless. */
  readonly buffer: number
}

const piece = 64 * 1024
const tick = 1_000

/** The client with all its bodies sent over one line, which transfers share evenly. */
export const layer = <E, R>(
  { rate, buffer }: Options,
  client: Layer.Layer<OssClient.OssClient, E, R>
) =>
  Layer.effect(
    OssClient.OssClient,
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      let active = 0

      /** Reads the body as there is room for it, and returns once all of it has been passed on. */
      const through = <E>(body: Body.Body<E>) =>
        Effect.gen(function* () {
          const bytes = new Uint8Array(body.size)
          let read = 0
          let passed = 0
          active++
          let at = yield* Clock.currentTimeMillis
          while (passed < body.size) {
            while (read < body.size && read - passed < buffer) {
              const target = bytes.subarray(read, Math.min(read + piece, body.size))
              yield* body.read(target, read)
              read += target.length
            }
            yield* Effect.sleep(tick)
            const now = yield* Clock.currentTimeMillis
            passed = Math.min(read, passed + ((rate / active) * (now - at)) / 1_000)
            at = now
          }
          return Body.fromBytes(bytes)
        }).pipe(Effect.ensuring(Effect.sync(() => active--)))

      return OssClient.OssClient.of({
        ...client,
        uploadPart: (part) =>
          Effect.flatMap(through(part.body), (body) => client.uploadPart({ ...part, body })),
        put: (request) =>
          Effect.flatMap(through(request.body), (body) => client.put({ ...request, body }))
      })
    })
  ).pipe(Layer.provide(client))
