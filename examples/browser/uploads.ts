/** What the page asks of effect-oss: uploads that are started, stopped, carried on with and given up. */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import type { CheckpointStore } from "@effect-oss/core/CheckpointStore"
import * as OssClient from "@effect-oss/core/OssClient"
import * as Source from "@effect-oss/core/Source"
import * as Upload from "@effect-oss/core/Upload"
import type { UploadEvent } from "@effect-oss/core/UploadEvent"
import * as FileHandles from "@effect-oss/web/FileHandles"
import * as IndexedDbCheckpointStore from "@effect-oss/web/IndexedDbCheckpointStore"
import * as Network from "@effect-oss/web/Network"
import * as WebOssHttp from "@effect-oss/web/WebOssHttp"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"

const Place = Schema.Struct({ endpoint: Schema.String, bucket: Schema.String })

const here = (path: string) => new URL(path, location.href)

/** The page has no keys: the server that it came from signs each request. */
const client = Layer.unwrap(
  Effect.gen(function* () {
    const response = yield* HttpClient.get(here("/place"))
    const place = yield* HttpClientResponse.schemaBodyJson(Place)(response)
    return OssClient.layerPresigned({
      ...place,
      sign: (request) =>
        HttpClientRequest.post(here("/sign")).pipe(
          HttpClientRequest.bodyJsonUnsafe(request),
          HttpClient.execute,
          Effect.flatMap((response) =>
            response.status === 403
              ? Effect.undefined
              : Effect.flatMap(HttpClientResponse.filterStatusOk(response), ({ text }) => text)
          )
        )
    })
  })
)

const runtime = ManagedRuntime.make(
  Layer.mergeAll(client, IndexedDbCheckpointStore.layer(), FileHandles.layer()).pipe(
    Layer.provideMerge(WebOssHttp.layer())
  )
)

type Services = OssClient.OssClient | CheckpointStore | FileHandles.FileHandles

/** So many files at a time: the parts of each are sent side by side. */
const turns = Semaphore.makeUnsafe(2)

/** A file with its name, which holds its folders, and its handle where the browser has one. */
export interface Chosen {
  readonly file: File
  readonly name: string
  readonly handle?: FileSystemFileHandle | undefined
}

const keyFor = (name: string) => `inbox/${name}`

/** Of the upload of a file with this name. */
const checkpointKeyOf = (name: string) =>
  Effect.map(OssClient.OssClient, ({ endpoint, bucket }) =>
    Checkpoint.keyOf({ endpoint, bucket, key: keyFor(name), sourceId: `blob:${name}` })
  )

/** What became of an upload. */
export type End =
  | { readonly _tag: "Done" }
  | { readonly _tag: "Stopped" }
  | { readonly _tag: "Failed"; readonly message: string }

/** Runs it until `signal` says stop. */
const run = (
  effect: Effect.Effect<unknown, unknown, Services>,
  signal?: AbortSignal
): Promise<End> =>
  runtime
    .runPromise(
      Effect.match(effect, {
        onSuccess: (): End => ({ _tag: "Done" }),
        onFailure: (error): End => ({ _tag: "Failed", message: messageOf(error) })
      }),
      signal && { signal }
    )
    .catch((thrown: unknown): End =>
      signal?.aborted ? { _tag: "Stopped" } : { _tag: "Failed", message: messageOf(thrown) }
    )

/** What people read while there is no network. */
export const offline = "Waiting for the network"

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** Uploads a file, or carries on with it. */
export const upload = (
  { file, name, handle }: Chosen,
  signal: AbortSignal,
  onEvent: (event: UploadEvent) => void,
  onWait: (message: string) => void
): Promise<End> =>
  run(
    Effect.gen(function* () {
      const checkpointKey = yield* checkpointKeyOf(name)
      const handles = yield* FileHandles.FileHandles
      // Without it the next visit asks for the file: no reason not to upload.
      if (handle !== undefined) yield* Effect.ignore(handles.keep(checkpointKey, handle))
      const source = Source.blob(file, name)
      yield* Upload.events({ key: keyFor(name), source }).pipe(
        (events) =>
          Network.carryOn(events, (error) =>
            Effect.sync(() => onWait(navigator.onLine ? messageOf(error) : offline))
          ),
        Stream.runForEach((event) => Effect.sync(() => onEvent(event)))
      )
      // What goes up at once has no checkpoint to be removed with.
      yield* Effect.ignore(handles.forget(checkpointKey))
    }).pipe(turns.withPermit),
    signal
  )

/** An upload of an earlier visit. */
export interface Pending {
  readonly name: string
  readonly size: number
  /** In bytes. */
  readonly durable: number
  readonly checkpointKey: string
  /** Whether the browser has kept the file's handle. */
  readonly hasHandle: boolean
}

/** What is pending from last time. */
export const pending = (): Promise<ReadonlyArray<Pending>> =>
  runtime.runPromise(
    Effect.gen(function* () {
      const handles = new Set(yield* FileHandles.FileHandles.use(({ keys }) => keys))
      const all = yield* Stream.runCollect(Upload.pending)
      return all.map(({ header, durable, checkpointKey }) => ({
        name: FileHandles.nameOf(header),
        size: header.size ?? 0,
        durable,
        checkpointKey,
        hasHandle: handles.has(checkpointKey)
      }))
    })
  )

/** The file whose handle was kept; undefined where the user has to choose it. */
export const findFile = ({ checkpointKey }: Pending): Promise<File | undefined> =>
  runtime.runPromise(
    FileHandles.FileHandles.use(({ find }) =>
      Effect.map(find(checkpointKey), Option.getOrUndefined)
    )
  )

/** Why this file isn't the one of a pending upload; `Done` if it is. */
export const check = ({ checkpointKey }: Pending, { file, name }: Chosen): Promise<End> =>
  run(FileHandles.check(checkpointKey, file, name))

/** Gives up an upload: deletes what was sent, and forgets it. */
export const giveUp = (name: string): Promise<End> =>
  run(Upload.abort({ key: keyFor(name), sourceId: `blob:${name}` }))
