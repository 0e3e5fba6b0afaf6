/** A page's upload, signed by a route of the server; and the hook that shows it. */
import { CheckpointStore, Source, Upload } from "@effect-oss/core"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, ManagedRuntime, Option, Scope } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { Window } from "happy-dom"
import { act, createElement, StrictMode } from "react"
import { vi } from "vitest"
import { useUpload } from "./useUpload.ts"

const bucket = "photos"
const keys = { accessKeyId: "id", accessKeySecret: "secret" }
const scope = Scope.makeUnsafe()

/** The modules read the environment when they are loaded, as they do in Next.js. */
const loaded = Effect.gen(function* () {
  const emulator = OssEmulator.layer({ buckets: [bucket], credentials: [keys] })
  const context = yield* Layer.buildWithScope(emulator, scope)
  const service = Context.get(context, OssEmulator.OssEmulator)
  const endpoint = service.url.replace("127.0.0.1", "localhost")
  vi.stubEnv("OSS_BUCKET", bucket)
  vi.stubEnv("OSS_ENDPOINT", endpoint)
  vi.stubEnv("OSS_PATH_STYLE", "true")
  vi.stubEnv("OSS_ACCESS_KEY_ID", keys.accessKeyId)
  vi.stubEnv("OSS_ACCESS_KEY_SECRET", keys.accessKeySecret)
  vi.stubEnv("NEXT_PUBLIC_OSS_BUCKET", bucket)
  vi.stubEnv("NEXT_PUBLIC_OSS_ENDPOINT", endpoint)
  vi.stubGlobal("location", { href: "https://app.test/photos" })
  const { POST } = yield* Effect.promise(() => import("./signRoute.ts"))
  const { client } = yield* Effect.promise(() => import("./page.ts"))
  return { emulator: service, POST, client }
})

let world: Effect.Success<typeof loaded>

beforeAll(async () => {
  world = await Effect.runPromise(loaded)
})

afterAll(async () => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
  await Effect.runPromise(Scope.close(scope, Exit.void))
})

/** A browser: what goes to the page's own server is answered by the route, the rest by OSS. */
const browser = (user: string | undefined) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (http) => http)
  ).pipe(
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(
      Layer.succeed(FetchHttpClient.Fetch, (input: RequestInfo | URL, init?: RequestInit) => {
        const request = new Request(input, init)
        if (!request.url.startsWith("https://app.test/api/sign")) return fetch(request)
        if (user !== undefined) request.headers.set("x-user", user)
        return world.POST(request)
      })
    )
  )

const uploadAs = (user: string | undefined, key: string, bytes = 300_000) => {
  const source = Source.blob(new File([new Uint8Array(bytes)], "photo.jpg", { lastModified: 1 }))
  return Upload.upload({ key, source, partSize: 102_400 }).pipe(
    Effect.provide([world.client, CheckpointStore.layerMemory]),
    Effect.provide(browser(user))
  )
}

describe("a page", () => {
  it.live("uploads with URLs that the route signs", () =>
    Effect.gen(function* () {
      const result = yield* uploadAs("alice", "inbox/alice/photo.jpg")
      assert.isTrue(result.verified)
      const object = yield* world.emulator.object(bucket, "inbox/alice/photo.jpg")
      assert.strictEqual(Option.getOrThrow(object).size, 300_000)
    })
  )

  it.live("may upload only what is its user's, and nothing without one", () =>
    Effect.gen(function* () {
      const others = yield* Effect.flip(uploadAs("alice", "inbox/bob/photo.jpg"))
      assert.include(others.message, "did not sign")
      const asked = (headers: Record<string, string>) =>
        Effect.promise(() =>
          world.POST(new Request("https://app.test/", { method: "POST", headers, body: "{}" }))
        )
      assert.strictEqual((yield* asked({})).status, 401)
      assert.strictEqual((yield* asked({ "x-user": "alice" })).status, 400)
    })
  )
})

const file = new File([new Uint8Array(300_000)], "photo.jpg", { lastModified: 1 })

/** A document, as React finds it in a browser. React looks for it when it is loaded. */
const root = Effect.gen(function* () {
  const window = new Window()
  yield* Effect.addFinalizer(() => Effect.promise(() => window.happyDOM.close()))
  vi.stubGlobal("window", window)
  vi.stubGlobal("document", window.document)
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true)
  const { createRoot } = yield* Effect.promise(() => import("react-dom/client"))
  return createRoot(document.body.appendChild(document.createElement("main")))
})

/** An OSS without I/O, and a page with a component that has the hook. React starts it twice, as in development. */
const mounted = Effect.fnUntraced(function* (...faults: ReadonlyArray<Fault.Fault>) {
  const memory = Layer.merge(OssEmulator.layerClient(), CheckpointStore.layerMemory)
  const runtime = ManagedRuntime.make(memory)
  yield* Effect.addFinalizer(() => runtime.disposeEffect)
  const emulator = yield* Effect.promise(() =>
    runtime.runPromise(Effect.map(OssEmulator.OssEmulator, (emulator) => emulator))
  )
  yield* emulator.inject(...faults)
  const states: Array<ReturnType<typeof useUpload>> = []
  const Photo = () => {
    states.push(useUpload(runtime, file, "photo.jpg"))
    return null
  }
  const element = createElement(StrictMode, null, createElement(Photo))
  const page = yield* root
  yield* Effect.promise(() => act(async () => page.render(element)))
  yield* Effect.addFinalizer(() => Effect.promise(() => act(async () => page.unmount())))
  const until = (check: () => void) =>
    Effect.promise(() =>
      vi.waitFor(async () => {
        await act(async () => {})
        check()
      }, 10_000)
    )
  return { emulator, page, states, until }
})

describe("the hook", () => {
  it.live("tells how far the upload is, and that it is done", () =>
    Effect.gen(function* () {
      const { states, until } = yield* mounted()
      yield* until(() => assert.isTrue(states.at(-1)?.isDone))
      assert.deepStrictEqual(states.at(-1), { percent: 100, isDone: true, error: "" })
    })
  )

  it.live("tells why an upload failed", () =>
    Effect.gen(function* () {
      const denied = Fault.answer({ status: 403, code: "AccessDenied", times: Infinity })
      const { states, until } = yield* mounted(denied)
      yield* until(() => assert.match(states.at(-1)?.error ?? "", /access denied/i))
      assert.isFalse(states.at(-1)?.isDone)
    })
  )

  it.live("stops the upload once its component is gone", () =>
    Effect.gen(function* () {
      const slow = Fault.delay({ millis: 60_000, times: Infinity })
      const { emulator, page } = yield* mounted(slow)
      const outcomes = Effect.map(emulator.log, (entries) =>
        entries.map(({ outcome }) => outcome._tag)
      )
      const underWay = Effect.map(emulator.inFlight, (requests) => requests > 0)
      while (!(yield* underWay)) yield* Effect.sleep("10 millis")
      yield* Effect.promise(() => act(async () => page.unmount()))
      while (yield* underWay) yield* Effect.sleep("10 millis")
      assert.notInclude(yield* outcomes, "Answered")
    })
  )
})
