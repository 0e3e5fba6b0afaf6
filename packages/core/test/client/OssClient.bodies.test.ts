import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Effect, Exit, Fiber } from "effect"
import { FetchHttpClient } from "effect/http"
import * as Body from "../../src/Body.ts"
import {
  against,
  bytes,
  counted,
  etag,
  MiB,
  part,
  refusal,
  stored,
  verbs
} from "../support/OssClientReplies.ts"
import { clientTo, serve, until } from "../support/OssClientServer.ts"
import * as Bodies from "../../src/internal/body.ts"

/** Its second piece never comes. */
const hanging: Body.Body = {
  size: MiB,
  read: (_, offset) => (offset === 0 ? Effect.void : Effect.never)
}

class Unreadable extends Data.TaggedError("Unreadable")<{ readonly offset: number }> {}

describe("a body", () => {
  it.effect("arrives whole, in pieces of at most 256 KiB, with its length", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => stored)
      const pieces: Array<number> = []
      const size = MiB + 1
      const body = Bodies.tap(bytes(size), (piece) => pieces.push(piece.length))
      yield* client.uploadPart(part(body))
      assert.deepStrictEqual(pieces, [256 * 1024, 256 * 1024, 256 * 1024, 256 * 1024, 1])
      assert.strictEqual(server.requests[0]?.bytes, size)
      assert.strictEqual(server.requests[0]?.headers["content-length"], String(size))
    })
  )

  it.effect("may be empty", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => stored)
      yield* client.put({ key: "k", body: bytes(0) })
      assert.strictEqual(server.requests[0]?.headers["content-length"], "0")
    })
  )

  it.effect.each([[0], [512 * 1024]])(
    "that fails at byte %d fails the request with its own error",
    ([from = 0]) =>
      Effect.gen(function* () {
        const { client, server } = yield* against(() => stored)
        const body: Body.Body<Unreadable> = {
          size: MiB,
          read: (_, offset) => (offset < from ? Effect.void : new Unreadable({ offset }))
        }
        const error = yield* Effect.flip(client.uploadPart(part(body)))
        assert.deepStrictEqual(error, new Unreadable({ offset: from }))
        yield* until(() => server.connections() === 0)
        assert.notInclude(
          server.requests.map(({ state }) => state),
          "whole"
        )
      })
  )

  it.effect("that throws makes the request a defect", () =>
    Effect.gen(function* () {
      const { client } = yield* against(() => stored)
      const body = { size: 10, read: () => Effect.die("bug") }
      const cause = yield* Effect.flip(Effect.sandbox(client.uploadPart(part(body))))
      assert.deepStrictEqual(
        cause.reasons.map((reason) => Cause.isDieReason(reason) && reason.defect),
        ["bug"]
      )
    })
  )

  const engines = {
    "node:http": NodeHttpClient.layerNodeHttp,
    undici: NodeHttpClient.layerUndici,
    fetch: FetchHttpClient.layer
  }
  it.effect.each(Object.entries(engines))(
    "is not stored by a success that comes before its end, over %s",
    ([, engine]) =>
      Effect.gen(function* () {
        const server = yield* serve((_, response) => {
          response.socket?.pause()
          return stored
        }, "arrival")
        const client = yield* clientTo(server.url, {}, engine)
        const { body } = counted(64 * MiB)
        const error = yield* Effect.flip(client.uploadPart(part(body)))
        assert.strictEqual(error.reason._tag, "Transport")
        assert.match(error.message, /before the body had been sent/)
      })
  )

  it.effect("is not stored by an answer without a CRC64 where earlier ones had it", () =>
    Effect.gen(function* () {
      const { client } = yield* against((_, __, count) =>
        count % 2 === 1 ? stored : { headers: { etag } }
      )
      yield* client.uploadPart(part(bytes(10)))
      const error = yield* Effect.flip(client.uploadPart(part(bytes(10), 2)))
      assert.strictEqual(error.reason._tag, "UnreadableResponse")
      assert.include(error.message, "no CRC64")
      yield* client.put({ key: "k", body: bytes(10) })
    })
  )

  it.effect("is read no further once OSS has refused it", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => refusal(403, "AccessDenied"), "arrival")
      const { body, reads } = counted(512 * MiB)
      const error = yield* Effect.flip(client.uploadPart(part(body)))
      const readsThen = reads()
      assert.strictEqual(error.reason._tag, "AccessDenied")
      yield* until(() => server.connections() === 0)
      assert.strictEqual(reads(), readsThen)
      assert.isBelow(readsThen, 200)
    })
  )

  it.effect("is read no further once OSS has refused it, even while it hangs", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => refusal(403, "AccessDenied"), "arrival")
      let stopped = false
      const body = {
        size: MiB,
        read: (_: Uint8Array, offset: number) =>
          offset === 0
            ? Effect.void
            : Effect.onInterrupt(Effect.never, () => Effect.sync(() => void (stopped = true)))
      }
      const error = yield* Effect.flip(client.uploadPart(part(body)))
      assert.strictEqual(error.reason._tag, "AccessDenied")
      assert.isTrue(stopped)
      yield* until(() => server.connections() === 0)
    })
  )
})

describe("interruption", () => {
  it.effect(
    "while the body is being read waits for that read, and takes the request off the wire",
    () =>
      Effect.gen(function* () {
        const { client, server } = yield* against(() => stored)
        let reading = 0
        let reads = 0
        const body: Body.Body = {
          size: 64 * MiB,
          read: (_, offset) =>
            Effect.acquireUseRelease(
              Effect.sync(() => (reads++, reading++)),
              () => (offset < 8 * MiB ? Effect.void : Effect.never),
              () => Effect.sync(() => reading--)
            )
        }
        const fiber = yield* Effect.forkChild(client.uploadPart(part(body)))
        yield* until(() => (server.requests[0]?.bytes ?? 0) >= 8 * MiB)
        yield* Fiber.interrupt(fiber)
        const readsThen = reads
        assert.strictEqual(reading, 0)
        yield* until(() => server.connections() === 0)
        assert.strictEqual(server.requests[0]?.state, "aborted")
        assert.strictEqual(reads, readsThen)
      })
  )

  it.effect("while the answer is awaited takes the request off the wire", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => undefined)
      for (const verb of Object.values(verbs(client))) {
        const known = server.requests.length
        const fiber = yield* Effect.forkChild(verb)
        yield* until(() => server.requests[known]?.state === "whole")
        const exit = yield* Effect.andThen(Fiber.interrupt(fiber), Fiber.await(fiber))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
        yield* until(() => server.connections() === 0)
      }
      assert.strictEqual(server.requests.length, Object.keys(verbs(client)).length)
    })
  )

  it.effect("while the answer arrives takes the request off the wire", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against((_, response) => {
        response.writeHead(200, { "content-length": "1000", etag }).write("<half")
      })
      const fiber = yield* Effect.forkChild(client.initiate("k"))
      yield* until(() => server.requests[0]?.state === "whole")
      yield* until(() => server.connections() === 1)
      yield* Fiber.interrupt(fiber)
      yield* until(() => server.connections() === 0)
    })
  )

  it.effect("before anything was sent sends nothing", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against(() => stored)
      const { body, reads } = counted(MiB)
      const fiber = yield* Effect.forkChild(client.uploadPart(part(body)), {
        startImmediately: true
      })
      yield* Fiber.interrupt(fiber)
      yield* until(() => server.connections() === 0)
      assert.deepStrictEqual([server.requests.length, reads()], [0, 0])
    })
  )

  it.effect("of a timeout leaves nothing that is rejected later", () =>
    Effect.gen(function* () {
      const rejections: Array<unknown> = []
      const note = (reason: unknown) => void rejections.push(reason)
      process.on("unhandledRejection", note).on("uncaughtException", note)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => process.off("unhandledRejection", note).off("uncaughtException", note))
      )
      const { client, server } = yield* against(
        (_, response) => void setImmediate(() => response.socket?.destroy())
      )
      const fibers = yield* Effect.forEach(Object.values(verbs(client)), (verb) =>
        Effect.forkChild(verb)
      )
      yield* until(() => server.requests.length === fibers.length)
      yield* Effect.forEach(fibers, Fiber.interrupt)
      yield* until(() => server.connections() === 0)
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      assert.deepStrictEqual(rejections, [])
    })
  )

  it.effect("of one upload, and giving it up, leaves another one alone", () =>
    Effect.gen(function* () {
      const { client, server } = yield* against((request) =>
        request.method === "DELETE" ? { status: 204 } : stored
      )
      const { body } = counted(4 * MiB)
      const doomed = yield* Effect.forkChild(client.uploadPart({ ...part(hanging), key: "a" }))
      const other = yield* Effect.forkChild(client.uploadPart({ ...part(body), key: "b" }))
      yield* until(() => server.requests.length === 2)
      yield* Fiber.interrupt(doomed)
      yield* client.abort({ key: "a", uploadId: "U" })
      assert.strictEqual((yield* Fiber.join(other)).etag, etag)
      assert.strictEqual((yield* client.uploadPart({ ...part(bytes(5)), key: "b" })).etag, etag)
    })
  )
})
