import { assert, describe, it } from "@effect/vitest"
import { Uploads } from "@effect-oss/cluster"
import { Effect } from "effect"
import { assertWhole, content, inTime, partsSent, path, request, Shared, world } from "./world.ts"

describe("UploadWorkflow", () => {
  it.effect("uploads a file in ranges of parts, each part once", () =>
    Effect.gen(function* () {
      yield* (yield* Shared).write(path, content)
      const result = yield* inTime(Uploads.upload(request))
      assert.strictEqual(result.size, content.length)
      assert.isTrue(result.verified)
      assert.strictEqual(result.sent, content.length)
      yield* assertWhole(content)
      assert.deepStrictEqual((yield* partsSent).sort(), [1, 2, 3, 4, 5, 6, 7, 8, 9])
    }).pipe(Effect.provide(world))
  )
})
