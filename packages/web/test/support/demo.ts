/** The page of examples/browser as people use it, and what its emulator has seen. */
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect } from "effect"
import type { Browser as Chrome, ElementHandle, Page } from "puppeteer-core"
import { Demo } from "../../../../examples/browser/server.ts"

/** A new tab with the page. */
export const open = Effect.fnUntraced(function* (chrome: Chrome) {
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

export const add = (page: Page, file: string) =>
  Effect.promise(() =>
    page.$("#files").then((input) => (input as ElementHandle<HTMLInputElement>).uploadFile(file))
  )

/** Until the row of the only file says so. */
export const says = (page: Page, text: string, timeout = 90_000) =>
  Effect.promise(() =>
    page.waitForFunction(
      (text) => document.querySelector(".state")?.textContent?.includes(text),
      { timeout, polling: 100 },
      text
    )
  )

export const press = (page: Page, label: string) =>
  Effect.promise(() => page.locator(`button[aria-label^="${label}: "]`).click())

/** What `act` does opens the dialogue of an input; the user chooses this file there. */
export const choose = (page: Page, file: string, act: () => Promise<void>) =>
  Effect.promise(() => {
    const dialogue = page.waitForFileChooser()
    // The page is told of the one who waits before it is told of a key that comes later.
    const opened = page.evaluate(() => {}).then(act)
    return Promise.all([dialogue, opened]).then(([chooser]) => chooser.accept([file]))
  })

export const chooseAgain = (page: Page, file: string) =>
  choose(page, file, () => page.locator(`button[aria-label^="Choose file: "]`).click())

export const parts = Effect.map(
  OssEmulator.OssEmulator.use(({ log }) => log),
  (log) => log.filter(({ operation }) => operation === "uploadPart")
)

/** The numbers of the parts that were answered with 200. */
export const acknowledged = Effect.map(parts, (all) =>
  all.flatMap(({ outcome, partNumber }) =>
    outcome._tag === "Answered" && outcome.status === 200 ? [partNumber] : []
  )
)

/** From the third part on nothing moves. */
export const stopHalfWay = OssEmulator.OssEmulator.use(({ inject }) =>
  inject(Fault.stall({ operation: "uploadPart", skip: 2, times: Infinity, at: { bytes: 1000 } }))
)

export const carryOn = OssEmulator.OssEmulator.use(({ clearFaults }) => clearFaults)

export const halfWay = Effect.repeat(Effect.delay(acknowledged, "100 millis"), {
  until: (numbers) => numbers.length === 2
})

/** Runs in the page: no test can use the browser's own dialogue, so that the file lies in the origin's file system. */
export const pickFromOrigin = async (size: number) => {
  const root = await navigator.storage.getDirectory()
  const handle = await root.getFileHandle("film.raw", { create: true })
  const writable = await handle.createWritable()
  const piece = new Uint8Array(Math.min(size, 1024 * 1024))
  for (let at = 0; at < size; at += piece.length) {
    for (let index = 0; index < piece.length; index++) {
      const position = at + index
      piece[index] = (position * 7) ^ (position >> 9)
    }
    await writable.write(piece.subarray(0, size - at))
  }
  await writable.close()
  Object.assign(window, { showOpenFilePicker: () => Promise.resolve([handle]) })
}
