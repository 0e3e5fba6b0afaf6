/** The page of examples/browser, as people use it: requests presigned and checked, another origin, a real browser. */
import { assert, describe, it } from "@effect/vitest"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Layer, Option } from "effect"
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser as Chrome, ElementHandle, Page } from "puppeteer-core"
import { Demo, layer as demo } from "../../../examples/browser/server.ts"
import { Browser, start } from "./support/browser.ts"

const MiB = 1024 * 1024
const size = 40 * MiB
const content = Uint8Array.from({ length: size }, (_, index) => (index * 7) ^ (index >> 9))
const directory = mkdtempSync(join(tmpdir(), "effect-oss-page-"))
const film = join(directory, "film.raw")
writeFileSync(film, content)
mkdirSync(join(directory, "other"))
const other = join(directory, "other", "film.raw")
writeFileSync(other, Uint8Array.from(content).fill(0, 0, 9))

const open = Effect.fnUntraced(function* (chrome: Chrome) {
  const { url } = yield* Demo
  return yield* Effect.promise(() =>
    chrome.newPage().then((page) =>
      page
        .goto(url)
        .then(() => page.waitForSelector("body[data-ready]"))
        .then(() => page)
    )
  )
})

const add = (page: Page, file: string) =>
  Effect.promise(() =>
    page.$("#files").then((input) => (input as ElementHandle<HTMLInputElement>).uploadFile(file))
  )

/** Until the row of the only file says so. */
const says = (page: Page, text: string) =>
  Effect.promise(() =>
    page.waitForFunction(
      (text) => document.querySelector(".state")?.textContent?.includes(text),
      { timeout: 90_000, polling: 100 },
      text
    )
  )

const press = (page: Page, label: string) =>
  Effect.promise(() => page.locator(`button[aria-label^="${label}: "]`).click())

const chooseAgain = (page: Page, file: string) =>
  Effect.promise(() =>
    Promise.all([
      page.waitForFileChooser(),
      page.locator(`button[aria-label^="Choose file: "]`).click()
    ]).then(([chooser]) => chooser.accept([file]))
  )

const parts = Effect.map(
  OssEmulator.OssEmulator.use(({ log }) => log),
  (log) => log.filter(({ operation }) => operation === "uploadPart")
)

const acknowledged = Effect.map(parts, (all) =>
  all.flatMap(({ outcome, partNumber }) =>
    outcome._tag === "Answered" && outcome.status === 200 ? [partNumber] : []
  )
)

/** From the third part on nothing moves. */
const stopHalfWay = OssEmulator.OssEmulator.use(({ inject }) =>
  inject(Fault.stall({ operation: "uploadPart", skip: 2, times: Infinity, at: { bytes: 1000 } }))
)

const carryOn = OssEmulator.OssEmulator.use(({ clearFaults }) => clearFaults)

const halfWay = Effect.repeat(Effect.delay(acknowledged, "100 millis"), {
  until: (numbers) => numbers.length === 2
})

/** The object is the file, and no part that was acknowledged was sent again. */
const assertWhole = Effect.gen(function* () {
  const { object } = yield* OssEmulator.OssEmulator
  const found = yield* object("photos", "inbox/film.raw")
  const bytes = Option.isSome(found) ? yield* found.value.bytes : new Uint8Array()
  assert.strictEqual(Buffer.compare(bytes, content), 0)
  const numbers = yield* acknowledged
  assert.strictEqual(new Set(numbers).size, numbers.length, "a part was sent again")
})

describe("the page", () => {
  it.live("pauses, is loaded again, refuses a wrong file and carries on", () =>
    Effect.gen(function* () {
      const page = yield* open(yield* Browser)
      yield* stopHalfWay
      yield* add(page, film)
      yield* halfWay
      yield* press(page, "Pause")
      yield* says(page, "Paused")
      yield* carryOn
      yield* Effect.promise(() => page.reload())
      yield* says(page, "choose the file to carry on")
      yield* chooseAgain(page, other)
      yield* says(page, "is not the file that was being uploaded: its content is another")
      yield* chooseAgain(page, film)
      yield* says(page, "Done, and checked")
      yield* assertWhole
    }).pipe(Effect.provide(Layer.merge(demo(), Browser.layer)))
  )

  it.live("carries on by one click after the browser was killed", () =>
    Effect.gen(function* () {
      const profile = mkdtempSync(join(tmpdir(), "effect-oss-profile-"))
      const first = yield* start(profile)
      const page = yield* open(first)
      yield* stopHalfWay
      yield* Effect.promise(() => page.evaluate(pickFromOrigin, size))
      yield* Effect.promise(() => page.locator("#choose").click())
      yield* halfWay
      // Both are in the checkpoint once the bar has them.
      yield* Effect.sleep("1 second")
      first.process()?.kill("SIGKILL")
      yield* carryOn
      const again = yield* open(yield* start(profile))
      yield* says(again, "Not finished")
      yield* press(again, "Carry on")
      yield* says(again, "Done, and checked")
      yield* assertWhole
    }).pipe(Effect.scoped, Effect.provide(demo()))
  )

  it.live("tells a second tab, which takes over when the first is closed", () =>
    Effect.gen(function* () {
      const chrome = yield* Browser
      const first = yield* open(chrome)
      const second = yield* open(chrome)
      yield* stopHalfWay
      yield* add(first, film)
      yield* halfWay
      yield* add(second, film)
      yield* says(second, "in use by another tab")
      yield* carryOn
      yield* Effect.promise(() => first.close())
      yield* says(second, "Done, and checked")
      yield* assertWhole
    }).pipe(Effect.provide(Layer.merge(demo(), Browser.layer)))
  )

  it.live("waits while it is offline, and goes on by itself", () =>
    Effect.gen(function* () {
      const page = yield* open(yield* Browser)
      yield* stopHalfWay
      yield* add(page, film)
      yield* halfWay
      yield* Effect.promise(() => page.setOfflineMode(true))
      yield* carryOn
      yield* says(page, "Waiting for the network")
      yield* Effect.promise(() => page.setOfflineMode(false))
      yield* says(page, "Done, and checked")
      yield* assertWhole
    }).pipe(Effect.provide(Layer.merge(demo(), Browser.layer)))
  )
})

/** Runs in the page: no test can use the browser's own dialogue, so that the file lies in the origin's file system. */
const pickFromOrigin = async (size: number) => {
  const root = await navigator.storage.getDirectory()
  const handle = await root.getFileHandle("film.raw", { create: true })
  const writable = await handle.createWritable()
  await writable.write(Uint8Array.from({ length: size }, (_, index) => (index * 7) ^ (index >> 9)))
  await writable.close()
  Object.assign(window, { showOpenFilePicker: () => Promise.resolve([handle]) })
}
