/** The first Ctrl-C: what is nearly through arrives, nothing new begins, and it is said what is kept. */
import { assert, layer } from "@effect/vitest"
import { Fault } from "@effect-oss/emulator"
import { Effect } from "effect"
import { KiB, parse, runHere, small, start, World } from "./support.ts"

layer(World.layer, { excludeTestServices: true })("an upload that is interrupted", (it) => {
  it.effect("lets the parts on their way arrive, and begins no other", () =>
    Effect.gen(function* () {
      const { env, file, emulator } = yield* World
      yield* emulator.inject(Fault.delay({ operation: "uploadPart", millis: 300, times: Infinity }))
      const { path } = yield* file("grace.bin", 2_000 * KiB)
      const args = ["upload", path, "oss://bucket/grace", "--json", ...small]
      const upload = yield* start(args, { env })
      yield* upload.shows(`"PartUploaded"`)
      const before = Date.now()
      yield* upload.kill("SIGINT")
      const { code, out } = yield* upload.ended
      assert.strictEqual(code, 130)
      const told = parse(out).filter(({ _tag }) => _tag === "PartUploaded").length
      const sent = (yield* emulator.log).filter(({ operation }) => operation === "uploadPart")
      // All that was begun has arrived, and been recorded.
      assert.isTrue(sent.every(({ outcome }) => outcome._tag === "Answered"))
      // Its second is over before a busy machine has heard of all.
      const inTime = sent.filter(({ ended = Infinity }) => ended < before + 600)
      assert.isAtLeast(told, inTime.length)
      assert.isAtMost(told, sent.length)
      assert.isAtMost(sent.length, 6)
      yield* emulator.clearFaults
      const again = parse((yield* runHere(args, env)).out)
      assert.strictEqual(again.find(({ _tag }) => _tag === "Resumed").parts, told)
    })
  )

  it.effect("waits a second for what doesn't arrive, and says what is kept", () =>
    Effect.gen(function* () {
      const { env, file, emulator } = yield* World
      const { path } = yield* file("stalled.bin", 2_000 * KiB)
      yield* emulator.inject(
        Fault.stall({ operation: "uploadPart", skip: 3, times: Infinity, at: "before" })
      )
      const args = ["upload", path, "oss://bucket/stalled", "--part-size", "500KiB"]
      const upload = yield* start(args, { env })
      yield* upload.shows("70 %")
      yield* upload.kill("SIGTERM")
      const { code, out } = yield* upload.ended
      assert.match(out, /\nkept: 1\.5 MiB of 2\.0 MiB\n$/)
      assert.strictEqual(code, 143)
      yield* emulator.clearFaults
      yield* runHere(["abort", "oss://bucket/stalled"], env)
    })
  )

  it.effect("may end well within that second", () =>
    Effect.gen(function* () {
      const { env, file, emulator } = yield* World
      const { path } = yield* file("nearly.bin", 10)
      yield* emulator.inject(Fault.delay({ operation: "put", millis: 500 }))
      const upload = yield* start(["upload", path, "oss://bucket/nearly"], { env })
      yield* upload.shows("nearly.bin")
      yield* upload.kill("SIGINT")
      const { code, out } = yield* upload.ended
      assert.match(out, /verified by CRC64\n$/)
      assert.strictEqual(code, 0)
    })
  )
})
