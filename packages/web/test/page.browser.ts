/** The page of examples/browser, as people use it: requests presigned and checked, another origin, a real browser. */
import { assert, describe, it } from "@effect/vitest"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, Layer, Option } from "effect"
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { layer as demo } from "../../../examples/browser/server.ts"
import type { Page, SerializedAXNode } from "puppeteer-core"
import { Browser, start } from "./support/browser.ts"
import {
  acknowledged,
  add,
  carryOn,
  choose,
  chooseAgain,
  halfWay,
  open,
  pickFromOrigin,
  press,
  says,
  stopHalfWay
} from "./support/demo.ts"

const MiB = 1024 * 1024
const size = 40 * MiB
const content = Uint8Array.from({ length: size }, (_, index) => (index * 7) ^ (index >> 9))
const directory = mkdtempSync(join(tmpdir(), "effect-oss-page-"))
const film = join(directory, "film.raw")
writeFileSync(film, content)
mkdirSync(join(directory, "other"))
const other = join(directory, "other", "film.raw")
writeFileSync(other, Uint8Array.from(content).fill(0, 0, 9))

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

  it.live("is worked by the keyboard alone, and tells screen readers what is what", () =>
    Effect.gen(function* () {
      const page = yield* open(yield* Browser)
      // The browser's own dialogue can't be answered by a test; that of an input can.
      yield* Effect.promise(() =>
        page.evaluate(() => void Object.assign(window, { showOpenFilePicker: undefined }))
      )
      yield* stopHalfWay
      yield* focus(page, "Choose files")
      yield* choose(page, film, () => page.keyboard.press("Enter"))
      yield* halfWay
      assert.includeMembers(yield* accessible(page), [
        "heading: Upload files",
        "region: Add files",
        "button: Choose files",
        "button: Choose a folder",
        "heading: Uploads",
        "progressbar: Progress of film.raw",
        "status: Uploading",
        "button: Pause: film.raw",
        "button: Give up: film.raw"
      ])
      yield* focus(page, "Pause: film.raw")
      yield* Effect.promise(() => page.keyboard.press("Enter"))
      yield* says(page, "Paused")
      assert.include(yield* accessible(page), "status: Paused")
      assert.strictEqual(yield* focused(page), "Carry on: film.raw")
      yield* screenshots(page, "paused")
      yield* carryOn
      yield* Effect.promise(() => page.keyboard.press("Space"))
      yield* says(page, "Done, and checked")
      yield* assertWhole
      yield* screenshots(page, "done")
    }).pipe(Effect.provide(Layer.merge(demo(), Browser.layer)))
  )

  it.live("asks for the file where the user doesn't let it be opened again", () =>
    Effect.gen(function* () {
      const page = yield* open(yield* Browser)
      yield* stopHalfWay
      yield* Effect.promise(() => page.evaluate(pickFromOrigin, size))
      yield* Effect.promise(() => page.locator("#choose").click())
      yield* halfWay
      yield* press(page, "Pause")
      yield* says(page, "Paused")
      yield* carryOn
      // What a click on "Block" answers: no test can press the browser's own buttons.
      yield* Effect.promise(() =>
        page.evaluateOnNewDocument(() => {
          Object.assign(FileSystemFileHandle.prototype, {
            requestPermission: () => Promise.resolve("denied")
          })
        })
      )
      yield* Effect.promise(() => page.reload())
      yield* press(page, "Carry on")
      yield* says(page, "The browser can't open the file any more: choose it to carry on")
      yield* chooseAgain(page, film)
      yield* says(page, "Done, and checked")
      yield* assertWhole
    }).pipe(Effect.provide(Layer.merge(demo(), Browser.layer)))
  )
})

const focused = (page: Page) =>
  Effect.promise(() =>
    page.evaluate(
      () =>
        document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent
    )
  )

/** Presses Tab until the button of this name has the focus. */
const focus = (page: Page, name: string) =>
  Effect.gen(function* () {
    const found = yield* Effect.repeat(
      Effect.andThen(
        Effect.promise(() => page.keyboard.press("Tab")),
        focused(page)
      ),
      { until: (found) => found === name, times: 20 }
    )
    assert.strictEqual(found, name)
  })

/** What a screen reader is told, as `role: name`; of a status its text. */
const accessible = (page: Page) =>
  Effect.map(
    Effect.promise(() => page.accessibility.snapshot({ interestingOnly: false })),
    (root) => {
      const told: Array<string> = []
      const add = ({ role, name, children = [] }: SerializedAXNode) => {
        const text = children.map((child) => child.name ?? "").join("")
        told.push(`${role}: ${role === "status" ? text : (name ?? "")}`)
        children.forEach(add)
      }
      if (root !== null) add(root)
      return told
    }
  )

/** To be looked at, where a folder for them is given: at a phone's and a desktop's width. */
const screenshots = (page: Page, name: string) => {
  const folder = process.env["EFFECT_OSS_SCREENSHOTS"]
  if (folder === undefined) return Effect.void
  return Effect.forEach([390, 1280], (width) =>
    Effect.promise(() =>
      page
        .setViewport({ width, height: 800 })
        .then(() => page.screenshot({ path: `${folder}/${name}-${width}.png` as const }))
    )
  )
}
