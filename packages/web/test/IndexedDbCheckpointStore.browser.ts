import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Browser, open, Pages, visit } from "./support/browser.ts"

layer(Layer.mergeAll(Browser.layer, Pages.layer), { excludeTestServices: true, timeout: 300_000 })(
  "IndexedDbCheckpointStore",
  (it) => {
    it.effect("keeps to the contract of stores", () =>
      Effect.gen(function* () {
        const page = yield* open()
        const { laws, broken } = yield* Effect.promise(() =>
          page.evaluate(() => globalThis.page.brokenLaws())
        )
        assert.deepStrictEqual(broken, [])
        assert.isAbove(laws, 15)
      })
    )

    it.effect(
      "tells a second tab that the first has the checkpoint, until that one is closed",
      () =>
        Effect.gen(function* () {
          const first = yield* open()
          const second = yield* open()
          const hold = (page: typeof first) =>
            Effect.promise(() => page.evaluate(() => globalThis.page.hold("two")))
          assert.strictEqual(yield* hold(first), "held")
          assert.include(yield* hold(second), "in use by another tab of this browser")
          yield* Effect.promise(() => first.close())
          assert.strictEqual(
            yield* Effect.repeat(hold(second), { until: (end) => end === "held", times: 200 }),
            "held"
          )
        })
    )

    it.effect("says so when the browser has deleted the database", () =>
      Effect.gen(function* () {
        const page = yield* open()
        const deleted = yield* Effect.promise(() =>
          page.evaluate(() => globalThis.page.appendAfter("gone", globalThis.page.deleteDatabase))
        )
        assert.include(deleted, "the data of this site were cleared")
      })
    )

    it.effect("says so when there is no space left", () =>
      Effect.gen(function* () {
        const chrome = yield* Browser
        const { url } = yield* Pages
        const context = yield* Effect.promise(() => chrome.createBrowserContext())
        const page = yield* Effect.promise(() => context.newPage())
        const devtools = yield* Effect.promise(() => page.createCDPSession())
        const quota = { origin: new URL(url).origin, quotaSize: 1 }
        yield* Effect.promise(() => devtools.send("Storage.overrideQuotaForOrigin", quota))
        yield* visit(page, url)
        const full = yield* Effect.promise(() => page.evaluate(() => globalThis.page.hold("full")))
        assert.include(full, "there is no space left for this site")
        const { origin } = quota
        yield* Effect.promise(() => devtools.send("Storage.overrideQuotaForOrigin", { origin }))
        // Nothing was half-written, and it goes on once there is space.
        assert.strictEqual(
          yield* Effect.promise(() => page.evaluate(() => globalThis.page.count())),
          0
        )
        yield* Effect.promise(() => page.evaluate(() => globalThis.page.free()))
        const now = yield* Effect.promise(() => page.evaluate(() => globalThis.page.hold("full")))
        assert.strictEqual(now, "held")
        yield* Effect.promise(() => context.close())
      })
    )

    it.effect("says so where the browser lets the site store nothing", () =>
      Effect.gen(function* () {
        const page = yield* open("/sandboxed")
        const refused = yield* Effect.promise(() => page.evaluate(() => globalThis.page.hold("no")))
        assert.include(refused, "the browser lets this site store nothing")
      })
    )

    it.effect("says so when a later version of the page has written the database", () =>
      Effect.gen(function* () {
        const chrome = yield* Browser
        const { url } = yield* Pages
        const context = yield* Effect.promise(() => chrome.createBrowserContext())
        const page = yield* Effect.promise(() => context.newPage())
        yield* visit(page, url)
        const newer = yield* Effect.promise(() =>
          page.evaluate(() =>
            globalThis.page.upgradeDatabase().then(() => globalThis.page.hold("newer"))
          )
        )
        assert.include(newer, "a newer version of this page has written it: load the page again")
        yield* Effect.promise(() => context.close())
      })
    )

    it.effect("says so when another tab keeps the database from being deleted", () =>
      Effect.gen(function* () {
        const page = yield* open()
        const blocked = yield* Effect.promise(() =>
          page.evaluate(() => globalThis.page.openBlocked())
        )
        assert.include(blocked, "close the other tabs of this site")
      })
    )

    it.effect("changes nothing any more once its lock was taken away", () =>
      Effect.gen(function* () {
        const page = yield* open()
        const end = yield* Effect.promise(() =>
          page.evaluate(() =>
            globalThis.page.appendAfter("stolen", () => globalThis.page.stealLock("stolen"))
          )
        )
        assert.include(end, "another upload has taken this checkpoint over")
      })
    )
  }
)
