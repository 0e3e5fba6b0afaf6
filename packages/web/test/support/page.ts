/** Runs in the browser: what the tests call there, by `globalThis.page`. */
import * as CheckpointStore from "@effect-oss/core/CheckpointStore"
import * as Crc64 from "@effect-oss/core/Crc64"
import * as OssClient from "@effect-oss/core/OssClient"
import * as Source from "@effect-oss/core/Source"
import * as CheckpointStoreContract from "@effect-oss/core/testing/CheckpointStoreContract"
import * as Upload from "@effect-oss/core/Upload"
import type { UploadEvent } from "@effect-oss/core/UploadEvent"
import * as IndexedDbCheckpointStore from "@effect-oss/web/IndexedDbCheckpointStore"
import * as WebOssHttp from "@effect-oss/web/WebOssHttp"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { header, keyOf, part, withLog } from "../../../core/src/testing/fixtures.ts"

/** Where the page uploads to. */
export interface Place {
  readonly endpoint: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly securityToken: string
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const { laws } = CheckpointStoreContract

/** Of each law that the store breaks, how. */
const brokenLaws = () =>
  Effect.forEach(laws, ({ name, check }) =>
    check.pipe(
      Effect.provide(IndexedDbCheckpointStore.layer({ database: name })),
      Effect.match({
        onSuccess: () => [],
        onFailure: (error) => [`${name}: ${messageOf(error)}`]
      })
    )
  ).pipe(
    Effect.map((all) => ({ laws: all.length, broken: all.flat() })),
    Effect.runPromise
  )

const store = ManagedRuntime.make(IndexedDbCheckpointStore.layer({ database: "test" }))
let held: Scope.Closeable | undefined

/** The reason why it can't be opened, or `held`: until `free`, or the tab is closed. */
const hold = (name: string) =>
  Effect.gen(function* () {
    const { open } = yield* CheckpointStore.CheckpointStore
    held = yield* Scope.make()
    const log = yield* Scope.provide(open(keyOf(name)), held)
    yield* log.begin(header(1, name))
    yield* log.append(part(1))
    return "held"
  }).pipe(reported)

const free = () =>
  Effect.runPromise(held === undefined ? Effect.void : Scope.close(held, Exit.void))

const reported = <E>(effect: Effect.Effect<string, E, CheckpointStore.CheckpointStore>) =>
  store.runPromise(Effect.catch(effect, (error) => Effect.succeed(messageOf(error))))

/** Appends while `disturb` comes in between; what that ends with. */
const appendAfter = (name: string, disturb: () => Promise<void>) =>
  withLog(name, (log) =>
    Effect.gen(function* () {
      yield* log.begin(header(1, name))
      yield* log.append(part(1))
      yield* Effect.promise(disturb)
      yield* log.append(part(2))
      return "appended"
    })
  ).pipe(reported)

const deleteDatabase = () =>
  new Promise<void>((resolve, reject) => {
    const request = indexedDB.deleteDatabase("test")
    request.addEventListener("success", () => resolve())
    request.addEventListener("error", () => reject(new Error("not deleted")))
  })

/** As a later version of the page would leave it. */
const upgradeDatabase = () =>
  new Promise<void>((resolve, reject) => {
    const request = indexedDB.open("test", 2)
    request.addEventListener("success", () => {
      request.result.close()
      resolve()
    })
    request.addEventListener("error", () => reject(new Error("not upgraded")))
  })

/** What an upload is told while a connection that never closes keeps the database from being deleted. */
const openBlocked = () =>
  Effect.gen(function* () {
    const { open } = yield* CheckpointStore.CheckpointStore
    const told = yield* Effect.forkChild(Effect.flip(open(keyOf("blocked"))))
    while (told.pollUnsafe() === undefined) {
      yield* TestClock.adjust("5 seconds")
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 50)))
    }
    return messageOf(yield* Fiber.join(told))
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Layer.merge(IndexedDbCheckpointStore.layer({ database: "blocked" }), TestClock.layer())
    ),
    (effect) =>
      new Promise<string>((resolve) => {
        const holding = indexedDB.open("blocked", 1)
        holding.addEventListener("success", () => {
          indexedDB
            .deleteDatabase("blocked")
            .addEventListener("blocked", () => resolve(Effect.runPromise(effect)))
        })
      })
  )

/** How many checkpoints there are. */
const count = () =>
  CheckpointStore.CheckpointStore.use(({ list }) => Stream.runCount(list)).pipe(store.runPromise)

/** From now on: the most bytes of a file that are read at once. */
let mostRead = 0
const watchReads = () => {
  const { slice } = Blob.prototype
  Blob.prototype.slice = function (this: Blob, start = 0, end = this.size, type = "") {
    mostRead = Math.max(mostRead, end - start)
    return slice.call(this, start, end, type)
  }
}

const stealLock = (name: string) =>
  new Promise<void>((resolve) => {
    void navigator.locks.request(`effect-oss test ${keyOf(name)}`, { steal: true }, () => resolve())
  })

const events: Array<UploadEvent> = []
let running: Fiber.Fiber<string> | undefined

/** Uploads the file of the page's input; `done`, or the error's message. */
const upload = (place: Place, key: string, partSize: number) => {
  const client = OssClient.layerWebCrypto({
    bucket: place.bucket,
    endpoint: place.endpoint,
    credentials: Effect.succeed({
      accessKeyId: place.accessKeyId,
      accessKeySecret: Redacted.make(place.accessKeySecret),
      securityToken: Redacted.make(place.securityToken)
    })
  })
  const file = document.querySelector("input")?.files?.[0]
  if (file === undefined) return Promise.resolve("no file")
  const layers = Layer.mergeAll(client, IndexedDbCheckpointStore.layer()).pipe(
    Layer.provideMerge(WebOssHttp.layer())
  )
  const fiber = Upload.events({ key, partSize, source: Source.blob(file), concurrency: 2 }).pipe(
    Stream.runForEach((event) => Effect.sync(() => void events.push(event))),
    Effect.as("done"),
    Effect.provide(layers),
    Effect.catch((error) => Effect.succeed(messageOf(error))),
    Effect.runFork
  )
  running = fiber
  return Effect.runPromise(
    Effect.map(Fiber.await(fiber), (exit) => (Exit.isSuccess(exit) ? exit.value : "interrupted"))
  )
}

const interrupt = () =>
  Effect.runPromise(running === undefined ? Effect.void : Fiber.interrupt(running))

const asJson = <A>(value: A): A =>
  JSON.parse(JSON.stringify(value, (_, one) => (typeof one === "bigint" ? String(one) : one)))

const page = {
  brokenLaws,
  hold,
  free,
  appendAfter,
  deleteDatabase,
  upgradeDatabase,
  openBlocked,
  count,
  watchReads,
  mostRead: () => mostRead,
  stealLock,
  upload,
  interrupt,
  events: (): ReadonlyArray<UploadEvent> => asJson(events),
  crc64: (text: string) => String(Crc64.of(new TextEncoder().encode(text)))
}

export type TestPage = typeof page

declare global {
  var page: TestPage
}

globalThis.page = page
