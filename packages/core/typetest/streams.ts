/** What sources, uploads and sinks may fail with and what they need. Checked by the compiler; never run. */
import {
  Checkpoint,
  type CheckpointStore,
  OssClient,
  Source,
  Upload,
  type UploadError,
  type UploadEvent
} from "@effect-oss/core"
import AliOss from "ali-oss"
import {
  Context,
  Data,
  Effect,
  type FileSystem,
  type Result,
  type Scope,
  Sink,
  Stream
} from "effect"
import type { ChildProcessSpawner } from "effect/process"
import { ChildProcess } from "effect/process"
import type { HttpClient } from "effect/http"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Compiles if the two types are the same. */
type Pin<_ extends true> = "pinned"

class Lost extends Data.TaggedError("Lost")<{}> {}
class Database extends Context.Service<Database, { readonly rows: Stream.Stream<Uint8Array> }>()(
  "typetest/Database"
) {}

const rows = Stream.unwrap(Effect.map(Database, ({ rows }) => rows))
const failing: Stream.Stream<Uint8Array, Lost, Database> = Stream.concat(
  rows,
  Stream.fail(new Lost())
)
const key = "k"

/** What every upload needs. */
type Base = OssClient.OssClient | CheckpointStore.CheckpointStore

const bytes = Upload.upload({ key, source: Source.bytes(new Uint8Array(1)) })
const file = Upload.upload({ key, source: Source.file("db.tar") })
const blob = Upload.upload({ key, source: Source.blob(new Blob([])) })
const http = Upload.upload({ key, source: Source.http("https://example.com") })
const readable = Upload.upload({ key, source: Source.readable("id", () => failingIterable) })
const command = Upload.upload({ key, source: Source.command("id", ChildProcess.make("ls", [])) })
const stream = Upload.upload({ key, source: Source.stream("id", failing, { size: 5 }) })
const events = Upload.events({ key, source: Source.stream("id", failing) })
const scoped = Upload.upload({
  key,
  source: Source.stream("id", Stream.unwrap(Effect.as(Effect.scope, failing)))
})
declare const failingIterable: AsyncIterable<Uint8Array>

export type Uploads = [
  Pin<Same<typeof bytes, Effect.Effect<UploadEvent.UploadResult, Upload.UploadError, Base>>>,
  Pin<Same<Effect.Services<typeof file>, Base | FileSystem.FileSystem>>,
  Pin<Same<Effect.Services<typeof blob>, Base>>,
  Pin<Same<Effect.Services<typeof http>, Base | HttpClient.HttpClient>>,
  Pin<Same<Effect.Error<typeof http>, Upload.UploadError>>,
  Pin<Same<Effect.Services<typeof command>, Base | ChildProcessSpawner.ChildProcessSpawner>>,
  Pin<Same<Effect.Error<typeof command>, Upload.UploadError>>,
  Pin<Same<Effect.Error<typeof readable>, Upload.UploadError>>,
  Pin<Same<Effect.Services<typeof readable>, Base>>,
  Pin<Same<Effect.Error<typeof stream>, Upload.UploadError | Lost>>,
  Pin<Same<Effect.Services<typeof stream>, Base | Database>>,
  Pin<Same<Stream.Error<typeof events>, Upload.UploadError | Lost>>,
  Pin<Same<Stream.Services<typeof events>, Base | Database>>,
  // The upload opens and closes what its source takes.
  Pin<Same<Effect.Services<typeof scoped>, Base | Database>>
]

// Each error can be told apart by its tag, the source's own too.
export const handled: Effect.Effect<
  UploadEvent.UploadResult | "lost",
  Upload.UploadError,
  Base | Database
> = stream.pipe(Effect.catchTag("Lost", () => Effect.succeed("lost" as const)))

const sink = Upload.sink({ key, onFailure: "keep" })
const drained = Stream.run(failing, sink)

export type Sinks = [
  Pin<
    Same<
      typeof sink,
      Sink.Sink<
        UploadEvent.UploadResult,
        Uint8Array,
        never,
        Upload.UploadError,
        OssClient.OssClient
      >
    >
  >,
  Pin<Same<Effect.Error<typeof drained>, Upload.UploadError | Lost>>,
  Pin<Same<Effect.Services<typeof drained>, OssClient.OssClient | Database>>
]

// A source that needs and fails with less fits where more is allowed.
export const wider: Source.Source<Lost, Database> = Source.bytes(new Uint8Array(1))
export const opened: Effect.Effect<
  Source.RandomAccess,
  Source.SourceError,
  FileSystem.FileSystem | Scope.Scope
> = Source.file("db.tar").open

const from = Checkpoint.fromAliOss({})
export type Neighbours = [
  Pin<Same<typeof from, Result.Result<Checkpoint.AliOss, UploadError.InvalidRequest>>>
]
declare const theirs: AliOss.Checkpoint
export const ours = Checkpoint.fromAliOss(theirs)
declare const adopted: Checkpoint.AliOss
export const back: AliOss.Checkpoint = adopted
export const borrowed = OssClient.fromAliOss(
  new AliOss({ accessKeyId: "id", accessKeySecret: "secret" })
)

// @ts-expect-error: text is not bytes
Source.stream("id", Stream.make("text"))
// @ts-expect-error: a sink can't be resumed, so there is nothing to discover
Upload.sink({ key, discover: true })
// @ts-expect-error: a source that fails doesn't fit where none may
export const narrower: Source.Source = Source.stream("id", failing)
// @ts-expect-error: not a client of ali-oss
OssClient.fromAliOss({ bucket: "b" })
