/** The types that users build on. This file is compiled and never run. */
import {
  Bandwidth,
  CheckpointStore,
  OssClient,
  RetryPolicy,
  Source,
  Upload,
  UploadDefaults,
  UploadMany
} from "@effect-oss/core"
import type { Checkpoint, OssError, UploadError, UploadEvent } from "@effect-oss/core"
import * as BandwidthRateLimiter from "@effect-oss/core/BandwidthRateLimiter"
import * as KeyValueCheckpointStore from "@effect-oss/core/KeyValueCheckpointStore"
import * as CheckpointStoreContract from "@effect-oss/core/testing/CheckpointStoreContract"
import { Context, Data, Effect, Layer, Schedule, Sink, Stream } from "effect"
import type { FileSystem, Path, SubscriptionRef } from "effect"
import type { HttpClient } from "effect/http"
import type { KeyValueStore, RateLimiter } from "effect/persistence"
import { expectTypeOf } from "vitest"

type Store = CheckpointStore.CheckpointStore
type Client = OssClient.OssClient

class Database extends Context.Service<Database, { readonly dump: Uint8Array }>()("Database") {}
class Broken extends Data.TaggedError("Broken")<{}> {}
declare const dump: Stream.Stream<Uint8Array, Broken, Database>

const bytes = { key: "k", source: Source.bytes(new Uint8Array()) }
const file = { key: "k", source: Source.file("f") }
const stream = { key: "k", source: Source.stream("s", dump) }

// What an upload yields, fails with and takes.
expectTypeOf(Upload.upload(bytes)).toEqualTypeOf<
  Effect.Effect<UploadEvent.UploadResult, Upload.UploadError, Client | Store>
>()
expectTypeOf(Upload.upload(file)).toEqualTypeOf<
  Effect.Effect<
    UploadEvent.UploadResult,
    Upload.UploadError,
    Client | Store | FileSystem.FileSystem
  >
>()
expectTypeOf(Upload.upload(stream)).toEqualTypeOf<
  Effect.Effect<UploadEvent.UploadResult, Upload.UploadError | Broken, Client | Store | Database>
>()
expectTypeOf<Upload.UploadError>().toEqualTypeOf<
  | OssError.OssError
  | Source.SourceError
  | CheckpointStore.CheckpointError
  | UploadError.InvalidRequest
>()

// Its other faces are of the same types.
expectTypeOf(Upload.events(stream)).toEqualTypeOf<
  Stream.Stream<UploadEvent.UploadEvent, Upload.UploadError | Broken, Client | Store | Database>
>()
expectTypeOf(Upload.progress(file)).toEqualTypeOf<
  Effect.Effect<{
    readonly upload: Effect.Effect<
      UploadEvent.UploadResult,
      Upload.UploadError,
      Client | Store | FileSystem.FileSystem
    >
    readonly progress: SubscriptionRef.SubscriptionRef<UploadEvent.Progress>
  }>
>()
expectTypeOf(Upload.sink({ key: "k" })).toEqualTypeOf<
  Sink.Sink<UploadEvent.UploadResult, Uint8Array, never, Upload.UploadError, Client>
>()
expectTypeOf(Stream.run(dump, Upload.sink({ key: "k" }))).toEqualTypeOf<
  Effect.Effect<UploadEvent.UploadResult, Upload.UploadError | Broken, Client | Database>
>()

// What is there to be resumed, and giving it up.
expectTypeOf(Upload.pending).toEqualTypeOf<
  Stream.Stream<Checkpoint.Summary, CheckpointStore.CheckpointError, Store>
>()
type GivenUp = Effect.Effect<
  ReadonlyArray<Checkpoint.Summary>,
  OssError.OssError | CheckpointStore.CheckpointError,
  Client | Store
>
expectTypeOf(Upload.abort({ key: "k" })).toEqualTypeOf<GivenUp>()
expectTypeOf(Upload.sweep({ olderThan: "1 day" })).toEqualTypeOf<GivenUp>()

// Many: a failure is an outcome, unless it is to stop them all.
type FileRequest = Upload.UploadRequest<never, FileSystem.FileSystem>
expectTypeOf(UploadMany.directory("d", "p")).toEqualTypeOf<
  Stream.Stream<FileRequest, Source.SourceError, FileSystem.FileSystem | Path.Path>
>()
expectTypeOf(UploadMany.uploadAll(UploadMany.directory("d", "p"))).toEqualTypeOf<
  Stream.Stream<
    UploadMany.Outcome<FileRequest, Upload.UploadError>,
    UploadError.InvalidRequest | OssError.OssError | Source.SourceError,
    Client | Store | FileSystem.FileSystem | Path.Path
  >
>()
declare const requests: Stream.Stream<
  Upload.UploadRequest<Broken, Database>,
  "requests",
  HttpClient.HttpClient
>
expectTypeOf(UploadMany.uploadAll(requests, { parts: 3 })).toEqualTypeOf<
  Stream.Stream<
    UploadMany.Outcome<Upload.UploadRequest<Broken, Database>, Upload.UploadError | Broken>,
    UploadError.InvalidRequest | OssError.OssError | "requests",
    Client | Store | Database | HttpClient.HttpClient
  >
>()
expectTypeOf(UploadMany.events([stream], { parts: 3 })).toEqualTypeOf<
  Stream.Stream<
    UploadMany.Event<Upload.UploadRequest<Broken, Database>, Upload.UploadError | Broken>,
    UploadError.InvalidRequest | OssError.OssError,
    Client | Store | Database
  >
>()
expectTypeOf(UploadMany.uploadAll(requests, { onFailure: "stop" })).toEqualTypeOf<
  Stream.Stream<
    | UploadMany.Completed<Upload.UploadRequest<Broken, Database>>
    | UploadMany.Skipped<Upload.UploadRequest<Broken, Database>>,
    Upload.UploadError | Broken | "requests",
    Client | Store | Database | HttpClient.HttpClient
  >
>()

// Layers.
expectTypeOf(CheckpointStore.layerMemory).toEqualTypeOf<Layer.Layer<Store>>()
expectTypeOf(KeyValueCheckpointStore.layer()).toEqualTypeOf<
  Layer.Layer<Store, never, KeyValueStore.KeyValueStore>
>()
expectTypeOf(Bandwidth.layer({ bytesPerSecond: 1 })).toEqualTypeOf<
  Layer.Layer<Bandwidth.Bandwidth>
>()
expectTypeOf(
  Bandwidth.limited(OssClient.layer({ bucket: "b", credentials: Effect.die("") }))
).toEqualTypeOf<
  Layer.Layer<Client, UploadError.InvalidRequest, HttpClient.HttpClient | Bandwidth.Bandwidth>
>()
expectTypeOf(BandwidthRateLimiter.layer({ bytesPerSecond: 1 })).toEqualTypeOf<
  Layer.Layer<Bandwidth.Bandwidth, never, RateLimiter.RateLimiter>
>()
declare const sign: (
  request: OssClient.PresignRequest
) => Effect.Effect<string | undefined, Broken, Database>
expectTypeOf(OssClient.layerPresigned({ bucket: "b", sign })).toEqualTypeOf<
  Layer.Layer<Client, UploadError.InvalidRequest, HttpClient.HttpClient | Database>
>()
expectTypeOf(UploadDefaults.layer({ parts: 1 })).toEqualTypeOf<
  Layer.Layer<never, UploadError.InvalidRequest>
>()
expectTypeOf(CheckpointStoreContract.laws[0]!.check).toEqualTypeOf<
  Effect.Effect<
    void,
    CheckpointStoreContract.ContractBroken | CheckpointStore.CheckpointError,
    Store
  >
>()

// Retries: any Schedule fits that takes an OssError. What doesn't fit is in test/types.test.ts.
expectTypeOf(Schedule.recurs(3)).toExtend<RetryPolicy.RetryPolicy>()
expectTypeOf(
  Schedule.exponential("1 second").pipe(Schedule.jittered)
).toExtend<RetryPolicy.RetryPolicy>()
expectTypeOf(
  Schedule.spaced("1 second").pipe(
    Schedule.setInputType<OssError.OssError>(),
    Schedule.while(({ input }) => input.operation === "complete")
  )
).toExtend<RetryPolicy.RetryPolicy>()
expectTypeOf(
  RetryPolicy.byReason({
    Throttled: Schedule.forever.pipe(
      Schedule.setInputType<RetryPolicy.Because<"Throttled">>(),
      Schedule.while(({ input }) => {
        expectTypeOf(input.reason).toEqualTypeOf<OssError.Throttled>()
        return true
      })
    ),
    Transport: Schedule.recurs(2),
    Stalled: RetryPolicy.standard
  })
).toEqualTypeOf<RetryPolicy.RetryPolicy>()
