/** The command and its runner behind a proxy, which the environment names. */
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { Server } from "proxy-chain"
import { toThisMachine } from "../../node-http/test/thisMachine.ts"
import { run, runHere, settled, start, World } from "./support.ts"

/** Knows this machine as `oss.test`, as nothing else does. */
const behindProxy = Effect.gen(function* () {
  const { env, directory, file, endpoint } = yield* World
  const targets: Array<string> = []
  const { port } = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const server = new Server({
        port: 0,
        host: "127.0.0.1",
        prepareRequestFunction: ({ hostname }) => {
          targets.push(hostname)
          return { dnsLookup: toThisMachine }
        }
      })
      await server.listen()
      return server
    }),
    (server) => Effect.promise(() => server.close(true))
  )
  const own = {
    ...env,
    OSS_ENDPOINT: `http://oss.test:${new URL(endpoint).port}`,
    OSS_PATH_STYLE: "true",
    HTTP_PROXY: `http://127.0.0.1:${port}`
  }
  return { env: own, targets, directory, file }
})

layer(World.layer, { excludeTestServices: true })("behind a proxy", (it) => {
  it.effect("upload goes through it", () =>
    Effect.gen(function* () {
      const { env, targets, file } = yield* behindProxy
      const { path, bytes } = yield* file("proxied.bin", 300_000)
      const { code, error } = yield* run(["upload", path, "oss://bucket/"], { env })
      assert.deepStrictEqual([code, error], [0, ""])
      assert.include(targets, "oss.test")
      yield* settled("proxied.bin", bytes)
    }).pipe(Effect.scoped)
  )

  it.effect("upload goes around it where NO_PROXY says so", () =>
    Effect.gen(function* () {
      const { env, targets, file } = yield* behindProxy
      const { path } = yield* file("around.bin", 10)
      const { code } = yield* run(["upload", path, "oss://bucket/", "--retry-for", "0s"], {
        env: { ...env, NO_PROXY: "other.test,.test" }
      })
      assert.notStrictEqual(code, 0)
      assert.deepStrictEqual(targets, [])
    }).pipe(Effect.scoped)
  )

  it.effect("a runner goes through it, with keys of a profile", () =>
    Effect.gen(function* () {
      const { env, targets, directory } = yield* behindProxy
      const { OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, ...rest } = env as Record<string, string>
      const fs = yield* FileSystem.FileSystem
      const home = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(
        `${home}/.ossutilconfig`,
        `[profile fleet]\naccessKeyID=${OSS_ACCESS_KEY_ID}\naccessKeySecret=${OSS_ACCESS_KEY_SECRET}\n`
      )
      const own = { ...rest, HOME: home, EFFECT_OSS_DATABASE_URL: `${home}/cluster.sqlite` }
      const args = ["runner", "--root", directory, "--target", "oss://bucket"]
      const none = yield* runHere([...args, "--profile", "none"], own)
      assert.strictEqual(none.code, 2)
      assert.match(none.error, /there are no keys: .*\.ossutilconfig has no profile none/)
      const runner = yield* start([...args, "--profile", "fleet"], { env: own })
      yield* runner.shows("ready")
      // It has begun an upload in its target, and given it up.
      assert.include(targets, "oss.test")
      yield* runner.kill("SIGTERM")
      assert.strictEqual((yield* runner.ended).code, 0)
    }).pipe(Effect.scoped)
  )
})
