import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore, OssClient, Upload } from "@effect-oss/core"
import type { UploadEvent } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, Layer, Redacted, Stream } from "effect"
import * as Net from "node:net"
import { bucket, contentOf, requestFor } from "../support/world.ts"

const credential = { accessKeyId: "id", accessKeySecret: "secret" }

/** A port before the server that can be taken away: connections break, and new ones are refused. */
const switchable = Effect.fnUntraced(function* (to: number) {
  const sockets = new Set<Net.Socket>()
  const server = Net.createServer((near) => {
    const far = Net.connect(to, "127.0.0.1")
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => {
        near.destroy()
        far.destroy()
        sockets.delete(socket)
      })
    }
    near.pipe(far)
    far.pipe(near)
  })
  const listen = (port: number) =>
    Effect.callback<number>((resume) => {
      server.listen(port, "127.0.0.1", () =>
        resume(Effect.succeed((server.address() as Net.AddressInfo).port))
      )
    })
  const close = Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    for (const socket of sockets) socket.destroy()
  })
  const port = yield* listen(0)
  yield* Effect.addFinalizer(() => close)
  return { port, close, open: listen(port) }
})

describe("a server that is away over HTTP", () => {
  it.live("for ten seconds costs no upload of 40 MB", () =>
    Effect.gen(function* () {
      const { url } = yield* OssEmulator.OssEmulator
      const line = yield* switchable(Number(new URL(url).port))
      const content = contentOf(40_000_000)
      const events: Array<UploadEvent.UploadEvent> = []
      let gone = false
      const client = OssClient.layer({
        bucket,
        endpoint: `http://127.0.0.1:${line.port}`,
        pathStyle: true,
        credentials: {
          accessKeyId: credential.accessKeyId,
          accessKeySecret: Redacted.make(credential.accessKeySecret)
        }
      })
      yield* Upload.events(requestFor(content, { partSize: 1_000_000 })).pipe(
        Stream.runForEach((event) => {
          events.push(event)
          if (event._tag !== "PartUploaded" || gone) return Effect.void
          gone = true
          return line.close.pipe(
            Effect.andThen(Effect.sleep("10 seconds")),
            Effect.andThen(line.open),
            Effect.forkChild,
            Effect.asVoid
          )
        }),
        Effect.provide(client)
      )
      const end = events.at(-1)!
      assert.isTrue(end._tag === "Completed" && end.result.verified)
      assert.isTrue(events.some(({ _tag }) => _tag === "Retrying"))
    }).pipe(
      Effect.scoped,
      Effect.provide(
        Layer.mergeAll(
          OssEmulator.layer({ credentials: [credential], buckets: [bucket] }),
          CheckpointStore.layerMemory,
          NodeHttpClient.layerNodeHttp
        )
      )
    )
  )
})
