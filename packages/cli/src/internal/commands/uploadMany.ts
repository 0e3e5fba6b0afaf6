/** `effect-oss upload` of several files, and of directories with all that is in them. */
import type { CheckpointStore } from "@effect-oss/core/CheckpointStore"
import type { OssClient } from "@effect-oss/core/OssClient"
import * as UploadMany from "@effect-oss/core/UploadMany"
import * as Source from "@effect-oss/core/Source"
import * as Upload from "@effect-oss/core/Upload"
import type { Outcome } from "@effect-oss/core/UploadMany"
import { UploadEvent } from "@effect-oss/core/UploadEvent"
import * as Board from "@effect-oss/terminal/Board"
import * as Render from "@effect-oss/terminal/Render"
import { printable } from "@effect-oss/terminal/Text"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { SomeFailed } from "../../CliFailure.ts"
import { explain, gravest, isResumable } from "../../Explain.ts"
import type { ObjectUrl } from "../../ObjectUrl.ts"
import { within } from "../../ObjectUrl.ts"
import { Output } from "../../Output.ts"
import * as Monotonic from "../monotonic.ts"
import { jsonLine } from "../json.ts"
import { Watch } from "../watched.ts"

export interface Input {
  readonly paths: ReadonlyArray<{ readonly path: string; readonly directory: boolean }>
  readonly url: ObjectUrl
  readonly include: ReadonlyArray<string>
  readonly exclude: ReadonlyArray<string>
  readonly skipIdentical: boolean
  readonly discover: boolean
  readonly partSize: number | undefined
  readonly parallel: number
  readonly noProgress: boolean
  readonly json: boolean
}

type Request = Upload.UploadRequest<never, FileSystem.FileSystem>
type Ended = Outcome<Request, Upload.UploadError>

export const run = Effect.fnUntraced(function* <E, R>(
  input: Input,
  client: Layer.Layer<OssClient, E, R>,
  store: Layer.Layer<CheckpointStore, E, R>
) {
  const { json, noProgress, parallel, skipIdentical } = input
  const watch = new Watch()
  const requests = requestsOf(input, yield* Path.Path)
  const screen = yield* makeScreen(watch, requests, !json && !noProgress)
  const watched = Stream.map(requests, (request) => ({
    ...request,
    source: watch.source(request.key, request.source)
  }))
  const outcomes = UploadMany.uploadAll(watched, { parts: parallel, skipIdentical })
  yield* Stream.runForEach(outcomes, (outcome) =>
    Effect.andThen(screen.count(outcome), json ? tellJson(outcome) : screen.tell(outcome))
  ).pipe(
    Effect.onInterrupt(() => (json ? Effect.void : screen.interrupted(skipIdentical))),
    Effect.provide([watch.layer(client), store])
  )
  yield* screen.finish(json)
}, Effect.scoped)

type Requests = Stream.Stream<Request, Source.SourceError, FileSystem.FileSystem | Path.Path>

/** One after the other: what each path stands for. */
const requestsOf = (input: Input, path: Path.Path): Requests => {
  const { include, exclude, partSize, discover, url } = input
  const requests = input.paths.map((given): Requests => {
    const { key } = within(url, path.basename(path.resolve(given.path)))
    return given.directory
      ? UploadMany.directory(given.path, key, {
          exclude,
          ...(include.length === 0 ? {} : { include })
        })
      : Stream.succeed({ key, source: Source.file(given.path) })
  })
  return Stream.fromIterable(requests).pipe(
    Stream.flatMap((stream) => stream),
    Stream.map((request): Request => Object.assign(request, { partSize, discover }))
  )
}

/** An upload that has ended leaves nothing to carry on with. */
const spared = "; with --skip-identical, what is uploaded is not sent again"

/** How much there is to upload. What can't be looked at has no size, and is told of when it is opened. */
const countOf = (requests: Requests) =>
  Stream.runFoldEffect(
    requests,
    (): Board.Total => ({ files: 0, bytes: 0 }),
    ({ files, bytes }, { source }) =>
      FileSystem.FileSystem.use((fs) => fs.stat(source.name)).pipe(
        Effect.match({
          onFailure: () => 0,
          onSuccess: ({ type, size }) => (type === "File" ? Number(size) : 0)
        }),
        Effect.map((size): Board.Total => ({ files: files + 1, bytes: bytes + size }))
      )
  )

/** Lines that stay, above bars that are drawn again and again where that is possible. */
const makeScreen = Effect.fnUntraced(function* (
  watch: Watch,
  requests: Requests,
  progress: boolean
) {
  const { out, error, screen } = yield* Output
  const counts = { uploaded: 0, skipped: 0, failed: 0, bytes: 0, done: 0 }
  let worst: SomeFailed["exitCode"] = 2
  let all: Board.Total | undefined
  const startedAt = yield* Monotonic.now
  const board = (): Board.Board => ({
    startedAt,
    active: watch.entries(),
    ...counts,
    all,
    trouble: watch.trouble()
  })
  if (progress && Option.isSome(screen.size)) {
    const draw = Effect.flatMap(screen.size.value, (size) =>
      Effect.flatMap(Monotonic.now, (now) => screen.pin(Board.render(board(), now, size)))
    )
    yield* Effect.addFinalizer(() => screen.pin([]))
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(draw, Effect.sleep("200 millis"))))
    // A directory that can't be listed fails the upload itself.
    yield* Effect.forkScoped(Effect.ignore(Effect.map(countOf(requests), (total) => (all = total))))
  }
  const summary = Effect.map(Monotonic.now, (now) => Board.total(Board.stopped(board()), now))
  return {
    count: (outcome: Ended) =>
      Effect.sync(() => {
        watch.ended(outcome.request.key)
        if (outcome._tag === "Failed") {
          counts.failed++
          worst = gravest(worst, explain(outcome.error).exitCode)
          return
        }
        counts.bytes += outcome.result.sent
        counts.done += outcome.result.size
        counts[outcome._tag === "Skipped" ? "skipped" : "uploaded"]++
      }),
    tell: (outcome: Ended) => {
      if (outcome._tag === "Failed") {
        const { what, todo } = explain(outcome.error)
        return error(`error: ${placeOf(outcome)}${what}\n  → ${todo}\n`)
      }
      return progress ? out(`${Render.result(outcome.result)}\n`) : Effect.void
    },
    interrupted: (skipIdentical: boolean) =>
      Effect.flatMap(summary, (text) =>
        out(`${text}${counts.uploaded > 0 && !skipIdentical ? spared : ""}\n`)
      ),
    finish: Effect.fnUntraced(function* (json: boolean) {
      const { uploaded, skipped, failed } = counts
      if (!json) yield* out(`${yield* summary}\n`)
      if (failed === 0) return
      const all = uploaded + skipped + failed
      return yield* new SomeFailed({ failed, all, exitCode: worst, hint: spared })
    })
  }
})

/** Which object, where the error doesn't say so by itself. */
const placeOf = ({ request: { key }, error }: Extract<Ended, { readonly _tag: "Failed" }>) => {
  const named = error._tag === "SourceError" || ("key" in error && error.key !== undefined)
  return named ? "" : printable(`${key}: `)
}

const encode = Schema.encodeEffect(Schema.toCodecJson(UploadEvent))

/** `Completed` as for one upload, or `Failed` with the key. */
const tellJson = Effect.fnUntraced(function* (outcome: Ended) {
  const { out } = yield* Output
  if (outcome._tag !== "Failed") {
    const event = UploadEvent.cases.Completed.make({ result: outcome.result })
    return yield* out(jsonLine(yield* Effect.orDie(encode(event))))
  }
  const explanation = explain(outcome.error)
  const { what, todo, exitCode } = explanation
  const resumable = isResumable(explanation)
  const { key } = outcome.request
  const failed = { _tag: "Failed", key, message: what, remedy: todo, resumable, exitCode }
  yield* out(jsonLine(failed))
})
