/** Credentials of the chain in a client: refreshed once for all requests, ahead of their expiry. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Credentials from "../../../core/src/internal/client/credentials.ts"
import { Clock, Effect, Fiber, FileSystem } from "effect"
import { TestClock } from "effect/testing"
import { NodeOssCredentials } from "../../src/index.ts"
import { type Answer, type Answerer, type Asked, issued, within } from "./world.ts"

const metadata = "http://metadata.test"

/** Gives keys that are good for an hour, two seconds after they were asked for. */
const hourly = () => {
  const state = { issued: 0, isAway: false }
  const answer: Answerer = ({ url }): Answer | undefined => {
    if (state.isAway) return undefined
    if (url.endsWith("/token")) return { body: "v2" }
    if (url.endsWith("/security-credentials/")) return { body: "uploads" }
    state.issued++
    const expires = new Date(state.issued * 3_600_000).toISOString()
    return { body: JSON.stringify({ Code: "Success", ...issued(`${state.issued}`, expires) }) }
  }
  return { state, answer }
}

/** Goes on once the condition holds, whatever real time that takes. */
const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() =>
    condition()
      ? Effect.void
      : Effect.andThen(
          Effect.promise(() => new Promise(setImmediate)),
          until(condition)
        )
  )

describe("credentials of a service", () => {
  it.effect("are asked for once by eight requests, also if that takes 2 seconds", () => {
    const asked: Array<Asked> = []
    const uri = "http://keys.test/"
    let given = 0
    const answer: Answerer = () => {
      given++
      const expires = new Date(given * 3_600_000).toISOString()
      return { body: JSON.stringify(issued(`${given}`, expires)), after: 2000 }
    }
    return Effect.gen(function* () {
      const keys = yield* Credentials.make(NodeOssCredentials.chain())
      const eight = Effect.all(
        Array.from({ length: 8 }, () => Effect.flatMap(Clock.currentTimeMillis, keys.current)),
        { concurrency: "unbounded" }
      )
      for (const [round, at] of [
        [1, 0],
        // A minute ahead of the expiry.
        [2, 3_540_000]
      ] as const) {
        yield* TestClock.setTime(at)
        const waiting = yield* Effect.forkChild(eight)
        yield* until(() => asked.length === round)
        yield* TestClock.adjust("1999 millis")
        assert.isUndefined(waiting.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        const found = yield* Fiber.join(waiting)
        assert.deepStrictEqual(
          found.map(({ accessKeyId }) => accessKeyId),
          Array.from({ length: 8 }, () => `STS.${round}`)
        )
        assert.strictEqual(asked.length, round)
      }
    }).pipe(within({ env: { ALIBABA_CLOUD_CREDENTIALS_URI: uri }, answer }, asked))
  })

  it.effect("are refreshed for the others if the request that began it is interrupted", () => {
    const asked: Array<Asked> = []
    const answer: Answerer = () => ({ body: JSON.stringify(issued("1")), after: 2000 })
    return Effect.gen(function* () {
      const keys = yield* Credentials.make(NodeOssCredentials.chain())
      const first = yield* Effect.forkChild(keys.current(0))
      yield* until(() => asked.length === 1)
      const second = yield* Effect.forkChild(keys.current(0))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(second)).accessKeyId, "STS.1")
      assert.strictEqual(asked.length, 1)
    }).pipe(within({ env: { ALIBABA_CLOUD_CREDENTIALS_URI: "http://keys.test/" }, answer }, asked))
  })

  it.effect("come from the same source again, which may be away for a while", () => {
    const { state, answer } = hourly()
    return Effect.gen(function* () {
      const chain = NodeOssCredentials.chain({ metadata })
      assert.strictEqual((yield* chain).accessKeyId, "STS.1")
      state.isAway = true
      const error = yield* Effect.flip(chain)
      assert.strictEqual(error.reason._tag, "CredentialsUnavailable")
      assert.isTrue(error.isRetryable)
      state.isAway = false
      assert.strictEqual((yield* chain).accessKeyId, "STS.2")
    }).pipe(within({ answer }))
  })

  it.effect("come from the others if that source has none any more", () => {
    const { answer } = hourly()
    return Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = yield* fs.makeTempFileScoped()
      yield* fs.writeFileString(file, "[default]\naccessKeyId=a\naccessKeySecret=s\n")
      yield* Effect.gen(function* () {
        const chain = NodeOssCredentials.chain({ metadata })
        assert.strictEqual((yield* chain).accessKeyId, "a")
        yield* fs.writeFileString(file, "[default]\nregion=cn-hangzhou\n")
        assert.strictEqual((yield* chain).accessKeyId, "STS.1")
      }).pipe(within({ env: { OSSUTIL_CONFIG_FILE: file }, answer }))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  })
})
