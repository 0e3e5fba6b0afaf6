import { assert, layer } from "@effect/vitest"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Fiber, Layer, Option } from "effect"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ElementHandle, Page } from "puppeteer-core"
import { Browser, emulator, open, Pages, placeAt } from "./support/browser.ts"

const MiB = 1024 * 1024
const content = Uint8Array.from({ length: 4.5 * MiB }, (_, index) => (index * 7) ^ (index >> 9))
const directory = mkdtempSync(join(tmpdir(), "effect-oss-web-"))
const small = join(directory, "photo.raw")
writeFileSync(small, content)
const large = join(directory, "film.raw")
writeFileSync(large, new Uint8Array(60 * MiB))

const choose = (page: Page, file = small) =>
  Effect.promise(() =>
    page.$("input").then((input) => (input as ElementHandle<HTMLInputElement>).uploadFile(file))
  )

const upload = Effect.fnUntraced(function* (page: Page, key: string, partSize = MiB) {
  const { url } = yield* OssEmulator.OssEmulator
  const place = placeAt(url)
  return yield* Effect.promise(() =>
    page.evaluate(
      (place, key, partSize) => globalThis.page.upload(place, key, partSize),
      place,
      key,
      partSize
    )
  )
})

const stored = (key: string) =>
  OssEmulator.OssEmulator.use(({ object }) =>
    Effect.flatMap(object("photos", key), (found) =>
      Option.isNone(found) ? Effect.succeed(new Uint8Array()) : found.value.bytes
    )
  )

const same = (bytes: Uint8Array) => Buffer.compare(bytes, content) === 0

layer(Layer.mergeAll(Browser.layer, Pages.layer), { excludeTestServices: true, timeout: 300_000 })(
  "WebOssHttp",
  (it) => {
    it.effect.each(["/", "/strict"])("uploads a file that is signed in the page, at %s", (path) =>
      Effect.gen(function* () {
        const page = yield* open(path)
        yield* choose(page)
        assert.strictEqual(yield* upload(page, "photo.raw"), "done")
        assert.isTrue(same(yield* stored("photo.raw")))
        const events = yield* Effect.promise(() => page.evaluate(() => globalThis.page.events()))
        const last = events.at(-1)
        assert.isTrue(last?._tag === "Completed" && last.result.verified)
        // The check value of CRC-64/XZ, in JavaScript where the policy forbids WebAssembly.
        const crc64 = yield* Effect.promise(() =>
          page.evaluate(() => globalThis.page.crc64("123456789"))
        )
        assert.strictEqual(crc64, String(0x995d_c9bb_df19_39fan))
      }).pipe(Effect.provide(emulator()))
    )

    it.effect("counts as sent what has left, not what was read", () =>
      Effect.gen(function* () {
        const page = yield* open()
        yield* choose(page, large)
        const { inject, log } = yield* OssEmulator.OssEmulator
        const part = { operation: "uploadPart", times: Infinity } as const
        yield* inject(Fault.stall({ ...part, at: { bytes: 100_000 } }))
        yield* Effect.forkChild(upload(page, "stalled", 30 * MiB))
        yield* Effect.repeat(Effect.delay(log, "100 millis"), {
          until: (all) => all.filter(({ bytes }) => bytes >= 100_000).length >= 2
        })
        yield* Effect.sleep("2 seconds")
        const events = yield* Effect.promise(() => page.evaluate(() => globalThis.page.events()))
        const sent = events.flatMap((event) => (event._tag === "Progress" ? [event.sent] : []))
        // Both parts were read whole, 60 MiB. Of each the emulator reads 16 MiB ahead, so that it
        // notices a client that goes away, and the system has taken what its buffers hold.
        assert.isAbove(Math.max(0, ...sent), 0)
        assert.isBelow(Math.max(0, ...sent), 52 * MiB)
        yield* Effect.promise(() => page.close())
      }).pipe(Effect.provide(emulator()))
    )

    it.effect("reads at most 1 MiB of a file at once, so that the page keeps its frames", () =>
      Effect.gen(function* () {
        const page = yield* open()
        yield* choose(page)
        yield* Effect.promise(() => page.evaluate(() => globalThis.page.watchReads()))
        assert.strictEqual(yield* upload(page, "pieces", 4 * MiB), "done")
        const most = yield* Effect.promise(() => page.evaluate(() => globalThis.page.mostRead()))
        assert.strictEqual(most, MiB)
      }).pipe(Effect.provide(emulator()))
    )

    it.effect("is off the wire once it is interrupted", () =>
      Effect.gen(function* () {
        const page = yield* open()
        yield* choose(page)
        const { inject, inFlight } = yield* OssEmulator.OssEmulator
        yield* inject(
          Fault.stall({ operation: "uploadPart", times: Infinity, at: { bytes: 1000 } })
        )
        const running = yield* Effect.forkChild(upload(page, "interrupted"))
        const until = (expected: number) =>
          Effect.repeat(Effect.delay(inFlight, "50 millis"), { until: (n) => n === expected })
        yield* until(2)
        yield* Effect.promise(() => page.evaluate(() => globalThis.page.interrupt()))
        assert.strictEqual(yield* Fiber.join(running), "interrupted")
        yield* until(0)
      }).pipe(Effect.provide(emulator()))
    )

    it.effect.each([
      [[], /may not read the response header x-oss-request-id/],
      [["x-oss-request-id"], /may not read the response header ETag/],
      [["x-oss-request-id", "ETag"], /may not read the response header x-oss-hash-crc64ecma/]
    ] as const)("names the CORS rule to set where it exposes only %j", ([exposed, message]) =>
      Effect.gen(function* () {
        const page = yield* open()
        yield* choose(page)
        const end = yield* upload(page, "hidden")
        assert.match(end, message)
        assert.match(end, /set a CORS rule on the bucket with origin http:\/\/127\.0\.0\.1:\d+/)
        const { log } = yield* OssEmulator.OssEmulator
        assert.isAtMost(
          (yield* log).filter(({ operation }) => operation === "uploadPart").length,
          3
        )
      }).pipe(Effect.provide(emulator({ exposeHeaders: exposed })))
    )

    it.effect("names the CORS rule to set where there is none", () =>
      Effect.gen(function* () {
        const page = yield* open()
        yield* choose(page)
        const end = yield* upload(page, "none")
        assert.match(end, /the server answers, but not to this page/)
        assert.match(end, /set a CORS rule/)
      }).pipe(Effect.provide(emulator({ allowedOrigins: ["https://elsewhere.example"] })))
    )
  }
)
