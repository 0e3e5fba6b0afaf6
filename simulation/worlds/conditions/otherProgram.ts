/**
 * Another program that uploads to the same keys: it knows nothing of this
 * library, keeps no checkpoint, and now and then leaves an upload unfinished.
 */
import * as Body from "@effect-oss/core/Body"
import { minPartSize } from "@effect-oss/core/Part"
import * as Effect from "effect/Effect"
import { othersMark } from "../invariants/history.ts"
import type { World } from "../world.ts"

/** Starts uploads at random times until the world is calm. */
export const start = (world: World, key: string): void => {
  const { random, after, server, trace } = world
  const name = "another program"
  const watch = world.invariants.watchOther(name, key)
  const { client } = server

  const run = Effect.gen(function* () {
    const { uploadId } = yield* Effect.ensuring(
      client.initiate(key, { meta: othersMark }),
      Effect.sync(world.invariants.look)
    )
    trace.tell(() => `${name} has begun ${uploadId} of ${key}`)
    const parts: Array<{ number: number; etag: string }> = []
    for (let number = 1; number <= random.int(1, 3); number++) {
      yield* Effect.sleep(random.int(0, 20_000))
      const bytes = new Uint8Array(minPartSize).fill(random.int(0, 255))
      const body = Body.fromBytes(bytes)
      const { etag } = yield* client.uploadPart({ key, uploadId, number, body })
      parts.push({ number, etag })
    }
    yield* Effect.sleep(random.int(0, 20_000))
    if (random.chance(0.3)) return
    watch.sent()
    yield* Effect.ensuring(client.complete({ key, uploadId, parts }), Effect.sync(watch.carriedOut))
    trace.tell(() => `${name} has completed ${uploadId}`)
  })

  const again = () => {
    if (world.isCalm()) return
    server.fork(Effect.ignore(run))
    after(random.int(1_000, 40_000), again)
  }
  after(random.int(0, 10_000), again)
}
