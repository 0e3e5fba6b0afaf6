/** `effect-oss upload` of several files, and of directories with their content. */
import type { CheckpointStore } from "@effect-oss/core/CheckpointStore"
import { OssClient } from "@effect-oss/core/OssClient"
import type { UploadError } from "@effect-oss/core/Upload"
import * as UploadMany from "@effect-oss/core/UploadMany"
import type * as Board from "@effect-oss/terminal/internal/board"
import * as Display from "@effect-oss/terminal/Display"
import * as Render from "@effect-oss/terminal/Render"
import * as Text from "@effect-oss/terminal/Text"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { SomeFailed, UnderWay } from "../CliFailure.ts"
import { explain } from "../Explain.ts"
import type { ObjectUrl } from "../ObjectUrl.ts"
import { Output } from "../Output.ts"
import * as Monotonic from "../monotonic.ts"
import * as Finished from "./finished.ts"
import type { Settings } from "./input.ts"
import type { Given, Items, Request } from "./items.ts"
import { lookAt } from "./items.ts"
import { jsonOfMany } from "./json.ts"
import { requestsOf } from "./requests.ts"
import { Tally } from "./tally.ts"

export interface Run {
  readonly items: Items
  /** The number of files. */
  readonly files: number
  readonly given: ReadonlyArray<Given>
  readonly url: ObjectUrl
  readonly settings: Settings
  readonly stateDirectory: string
  readonly progress: boolean
  readonly json: boolean
}

/** The hint for the next run of the command. */
const remembered = "; what is uploaded is remembered, and not sent again"

export const run = Effect.fnUntraced(function* <E, R, E2, R2>(
  options: Run,
  client: Layer.Layer<OssClient, E, R>,
  store: Layer.Layer<CheckpointStore, E2, R2>
) {
  const { json, progress } = options
  const { out } = yield* Output
  const startedAt = yield* Monotonic.now
  const tally = new Tally()
  const summary = Effect.map(Monotonic.now, (now) =>
    Render.totals({ ...tally.totals, underWay: 0 }, now - startedAt)
  )
  const show = yield* json
    ? jsonOfMany(progress, (failed) => tally.failureOf(failed))
    : display(options, tally)
  const interrupted = Effect.flatMap(summary, (text) => {
    const kept = tally.kept > 0 ? `, ${Text.bytes(tally.kept)} of unfinished files kept` : ""
    return out(`${text}${kept}${remembered}\n`)
  })
  yield* transfer(options, tally, show).pipe(
    Effect.onInterrupt(() => (json ? Effect.void : interrupted)),
    Effect.provide([client, store])
  )
  if (!json) yield* out(`${yield* summary}\n`)
  const { completed, skipped, failed } = tally.totals
  if (failed === 0) return
  const all = completed + skipped + failed
  return yield* new SomeFailed({ failed, all, exitCode: tally.worst, hint: remembered })
}, Effect.scoped)

type Event = UploadMany.Event<Request, UploadError>

/** Uploads all files, and remembers finished ones until all have succeeded. */
const transfer = Effect.fnUntraced(function* (
  { items, given, url, settings, stateDirectory }: Run,
  tally: Tally,
  show: (event: Event) => Effect.Effect<void>
) {
  const { endpoint } = yield* OssClient
  const path = yield* Path.Path
  const paths = given.map((one) => path.resolve(one.path)).toSorted()
  const identity = [endpoint, url.bucket, url.key, ...paths]
  const finished = yield* Finished.open(stateDirectory, identity)
  const { requests, looks } = requestsOf(items, settings, finished)
  yield* UploadMany.events(requests, { parts: settings.parallel }).pipe(
    Stream.mapError((error) => new UnderWay({ error })),
    Stream.runForEach((event) => {
      const shown = Effect.andThen(
        show(event),
        Effect.sync(() => tally.saw(event))
      )
      if (event._tag !== "Completed" && event._tag !== "Skipped") return shown
      const look = looks.get(event.request)
      return look === undefined ? shown : Effect.andThen(finished.add(event.result, look), shown)
    })
  )
  if (tally.totals.failed === 0) yield* finished.forget
})

/** Shows lines that stay and, if possible, bars below them. */
const display = Effect.fnUntraced(function* ({ items, files, progress }: Run, tally: Tally) {
  const { error, screen } = yield* Output
  let all: Board.Total | undefined
  if (progress && Option.isSome(screen.size)) {
    const counted = Effect.map(bytesOf(items), (bytes) => (all = { files, bytes }))
    // If a directory can't be listed, the upload itself fails.
    yield* Effect.forkScoped(Effect.ignore(counted))
  }
  const failed = (event: UploadMany.Failed<Request, UploadError>) => {
    const { what, todo } = explain(tally.failureOf(event))
    return error(`error: ${placeOf(event)}${what}\n  → ${todo}\n`)
  }
  return yield* Display.makeMany<Request, UploadError>(screen, {
    progress,
    all: () => all,
    failed
  })
})

/** A file that can't be read has no size. The upload reports it when it opens the file. */
const bytesOf = (items: Items) =>
  Stream.runFoldEffect(
    items,
    () => 0,
    (bytes, item) =>
      item._tag === "LeftOut"
        ? Effect.succeed(bytes)
        : Effect.map(lookAt(item.path), (look) => bytes + (look?.size ?? 0))
  )

/** Names the object, if the error doesn't. */
const placeOf = ({ request: { key }, error }: UploadMany.Failed<Request, UploadError>) => {
  const named = error._tag === "SourceError" || ("key" in error && error.key !== undefined)
  return named ? "" : Text.printable(`${key}: `)
}
