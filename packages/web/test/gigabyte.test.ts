/**
 * A file of 1 GiB through the page: the browser is killed at half and started
 * again. Prints what it cost as one line of JSON.
 */
import { assert, it } from "@effect/vitest"
import { Crc64 } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Clock, Console, Effect, Option } from "effect"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser as Chrome, Page } from "puppeteer-core"
import { layer as demo } from "../../../examples/browser/server.ts"
import { start } from "./support/browser.ts"
import { acknowledged, open, parts, pickFromOrigin, press, says } from "./support/demo.ts"

const MiB = 1024 * 1024
const size = 1024 * MiB
const minute = 60_000

/** Over the DevTools protocol, in bytes: what JavaScript holds, and what its buffers hold. */
const watchHeap = Effect.fnUntraced(function* (page: Page) {
  const peak = { heap: 0, buffers: 0 }
  const devtools = yield* Effect.promise(() => page.createCDPSession())
  const look = Effect.promise(() => devtools.send("Runtime.getHeapUsage").catch(() => undefined))
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.andThen(
        Effect.map(look, (usage) => {
          peak.heap = Math.max(peak.heap, usage?.usedSize ?? 0)
          peak.buffers = Math.max(peak.buffers, usage?.backingStorageSize ?? 0)
        }),
        Effect.sleep("100 millis")
      )
    )
  )
  return peak
})

/** Runs in the page: how long each frame took, and each task of more than 50 ms, in milliseconds. */
const watchFrames = () => {
  const seen = { frames: new Array<number>(), longTasks: new Array<number>() }
  let last = performance.now()
  const frame = (now: number) => {
    seen.frames.push(now - last)
    last = now
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.longTasks.push(duration)
  }).observe({ type: "longtask" })
  Object.assign(window, { seen })
}

interface Seen {
  readonly frames: ReadonlyArray<number>
  readonly longTasks: ReadonlyArray<number>
}

const framesOf = (page: Page) =>
  Effect.map(
    Effect.promise(() => page.evaluate(() => (window as unknown as { readonly seen: Seen }).seen)),
    ({ frames, longTasks }) => {
      const sorted = frames.toSorted((a, b) => a - b)
      const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0)
      return {
        frames: frames.length,
        median: at(0.5),
        p99: at(0.99),
        longest: Math.round(sorted.at(-1) ?? 0),
        longTasks: longTasks.map(Math.round)
      }
    }
  )

const kill = (chrome: Chrome) => Effect.sync(() => chrome.process()?.kill("SIGKILL"))

/** Of the file that `pickFromOrigin` writes. */
const expected = Effect.sync(() => {
  let crc64 = 0n
  const piece = new Uint8Array(MiB)
  for (let at = 0; at < size; at += MiB) {
    for (let index = 0; index < MiB; index++)
      piece[index] = ((at + index) * 7) ^ ((at + index) >> 9)
    crc64 = Crc64.of(piece, crc64)
  }
  return crc64
})

it.live(
  "1 GiB carries on by one click after the browser was killed at half",
  () =>
    Effect.gen(function* () {
      const profile = mkdtempSync(join(tmpdir(), "effect-oss-gigabyte-"))
      const first = yield* start(profile)
      const page = yield* open(first)
      yield* Effect.promise(() => page.evaluate(pickFromOrigin, size))
      // The file was written by this page: what that took is none of the upload's.
      yield* Effect.promise(() =>
        page.createCDPSession().then((to) => to.send("HeapProfiler.collectGarbage"))
      )
      const before = yield* watchHeap(page)
      const began = yield* Clock.currentTimeMillis
      yield* Effect.promise(() => page.locator("#choose").click())
      yield* Effect.repeat(Effect.delay(parts, "50 millis"), {
        until: (all) => all.reduce((sum, { bytes }) => sum + bytes, 0) >= size / 2
      })
      yield* kill(first)
      const killed = yield* Clock.currentTimeMillis
      const durable = new Set(yield* acknowledged).size
      // What was in the sockets is over.
      yield* Effect.sleep("2 seconds")
      const sentBefore = (yield* parts).length

      const again = yield* open(yield* start(profile))
      const after = yield* watchHeap(again)
      yield* Effect.promise(() => again.evaluate(watchFrames))
      yield* says(again, "Not finished")
      const clicked = yield* Clock.currentTimeMillis
      yield* press(again, "Carry on")
      yield* says(again, "Done, and checked", 10 * minute)
      const ended = yield* Clock.currentTimeMillis

      const { object } = yield* OssEmulator.OssEmulator
      const found = Option.getOrThrow(yield* object("photos", "inbox/film.raw"))
      const numbers = (yield* parts).map(({ partNumber }) => partNumber)
      const count = new Set(numbers).size
      const figures = {
        parts: count,
        durableWhenKilled: durable,
        sentAgain: numbers.length - count,
        sentBefore,
        seconds: { half: (killed - began) / 1000, rest: (ended - clicked) / 1000 },
        heapMiB: { before: before.heap / MiB, after: after.heap / MiB },
        buffersMiB: { before: before.buffers / MiB, after: after.buffers / MiB },
        frameMillis: yield* framesOf(again)
      }
      yield* Console.log(JSON.stringify(figures))
      assert.strictEqual(found.size, size)
      assert.strictEqual(found.crc64, yield* expected)
      // 64 parts at once are the most that the library tries.
      assert.isAtMost(figures.sentAgain, Math.min(64, sentBefore - durable))
      assert.isBelow(before.heap, 100 * MiB)
      assert.isBelow(after.heap, 100 * MiB)
    }).pipe(Effect.scoped, Effect.provide(demo())),
  20 * minute
)
