import { OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"

const refused = (options: OssEmulator.ServerOptions) =>
  Effect.scoped(Layer.build(OssEmulator.layer(options))).pipe(
    Effect.flip,
    Effect.map(({ option, problem, remedy }) => [option, problem, remedy.split(/[,;]/)[0]])
  )

const withOrigin = (origin: string) => ({ cors: [{ allowedOrigins: [origin] }] })

describe("an emulator that can't start says why, and what to do", () => {
  it.live.each<readonly [string, string]>([
    ["localhost:5173", "http://localhost:5173"],
    ["http://localhost:5173/", "http://localhost:5173"],
    ["https://example.com/app?x", "https://example.com"],
    ["example.com", "http://example.com"],
    ["my page", "one such as http://localhost:5173"]
  ])("the origin %s can't be one", ([origin, near]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* refused(withOrigin(origin)), [
        "cors",
        `${JSON.stringify(origin)} is no origin`,
        `give ${near}`
      ])
    })
  )

  it.live.each(["*", "null", "http://localhost:*", "https://*.example.com", "app://bundle"])(
    "the origin %s is one",
    (origin) => Effect.scoped(Layer.build(OssEmulator.layer(withOrigin(origin))))
  )

  it.live("the host is none of this machine's", () =>
    Effect.gen(function* () {
      const [option, problem] = yield* refused({ host: "203.0.113.9" })
      assert.deepStrictEqual(
        [option, problem],
        ["host", "203.0.113.9 is no address of this machine"]
      )
    })
  )

  it.live("the directory to start with isn't there", () =>
    Effect.gen(function* () {
      const [option, problem] = yield* refused({ seed: "/none/at/all" })
      assert.deepStrictEqual(
        [option, problem],
        ["seed", "/none/at/all can't be read into buckets: it doesn't exist"]
      )
    })
  )
})
