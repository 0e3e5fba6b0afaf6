/** `effect-oss upload` of several files, and of directories with all that is in them. */
import type { CheckpointStore } from "@effect-oss/core/CheckpointStore"
import type { OssClient } from "@effect-oss/core/OssClient"
import * as Render from "@effect-oss/core/Render"
import * as Source from "@effect-oss/core/Source"
import * as Upload from "@effect-oss/core/Upload"
import type { Outcome } from "@effect-oss/core/UploadAll"
import { UploadEvent } from "@effect-oss/core/UploadEvent"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Board from "../../Board.ts"
import { SomeFailed } from "../../CliFailure.ts"
import { explain, isResumable } from "../../Explain.ts"
import type { ObjectUrl } from "../../ObjectUrl.ts"
import { within } from "../../ObjectUrl.ts"
import { Output } from "../../Output.ts"
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
  const screen = yield* makeScreen(watch, !json && !noProgress)
  const requests = requestsOf(input, yield* Path.Path).pipe(
    Stream.map((request) => ({ ...request, source: watch.source(request.key, request.source) }))
  )
  const outcomes = Upload.uploadAll(requests, { parts: parallel, skipIdentical })
  yield* Stream.runForEach(outcomes, (outcome) => {
    watch.ended(outcome.request.key)
    return json
      ? Effect.andThen(screen.count(outcome), tellJson(outcome))
      : Effect.andThen(screen.count(outcome), screen.tell(outcome))
  }).pipe(Effect.provide([watch.layer(client), store]))
  yield* screen.finish(json)
}, Effect.scoped)

/** One after the other: what each path stands for. */
const requestsOf = (input: Input, path: Path.Path) => {
  const { include, exclude, partSize, discover, url } = input
  const requests = input.paths.map(
    (given): Stream.Stream<Request, Source.SourceError, FileSystem.FileSystem | Path.Path> => {
      const { key } = within(url, path.basename(path.resolve(given.path)))
      return given.directory
        ? Upload.directory(given.path, key, {
            exclude,
            ...(include.length === 0 ? {} : { include })
          })
        : Stream.succeed({ key, source: Source.file(given.path) })
    }
  )
  return Stream.fromIterable(requests).pipe(
    Stream.flatMap((stream) => stream),
    Stream.map((request): Request => Object.assign(request, { partSize, discover }))
  )
}

/** Lines that stay, above bars that are drawn again and again where that is possible. */
const makeScreen = Effect.fnUntraced(function* (watch: Watch, progress: boolean) {
  const { out, error, terminal } = yield* Output
  const counts = { uploaded: 0, skipped: 0, failed: 0, bytes: 0 }
  let worst: SomeFailed["exitCode"] = 2
  const startedAt = yield* Clock.currentTimeMillis
  const board = (): Board.Board => ({ startedAt, active: watch.entries(), ...counts })
  let drawn: ReadonlyArray<string> = []
  const columns = Option.match(terminal, {
    onNone: () => Effect.succeed(0),
    onSome: ({ columns }) => columns
  })
  const wipe = Effect.gen(function* () {
    if (drawn.length === 0) return
    // The cursor is on an empty line below them.
    const text = Render.erased([...drawn, ""], yield* columns)
    drawn = []
    yield* out(text)
  })
  const draw = Effect.gen(function* () {
    const lines = Board.render(board(), yield* Clock.currentTimeMillis, yield* columns)
    yield* wipe
    drawn = lines
    yield* out(lines.map((line) => `${line}\n`).join(""))
  })
  if (progress && Option.isSome(terminal)) {
    yield* Effect.addFinalizer(() => wipe)
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(draw, Effect.sleep("200 millis"))))
  }
  return {
    count: (outcome: Ended) =>
      Effect.sync(() => {
        if (outcome._tag === "Failed") {
          counts.failed++
          worst = gravest(worst, explain(outcome.error).exitCode)
          return
        }
        counts.bytes += outcome.result.sent
        counts[outcome._tag === "Skipped" ? "skipped" : "uploaded"]++
      }),
    tell: Effect.fnUntraced(function* (outcome: Ended) {
      yield* wipe
      if (outcome._tag === "Failed") {
        const { what, todo } = explain(outcome.error)
        return yield* error(`error: ${what}\n  → ${todo}\n`)
      }
      if (progress) yield* out(`${Render.result(outcome.result)}\n`)
    }),
    finish: Effect.fnUntraced(function* (json: boolean) {
      yield* wipe
      const { uploaded, skipped, failed } = counts
      if (!json) yield* out(`${Board.total(board(), yield* Clock.currentTimeMillis)}\n`)
      if (failed === 0) return
      return yield* new SomeFailed({ failed, all: uploaded + skipped + failed, exitCode: worst })
    })
  }
})

/** That one can be carried on with counts most: the same command again helps. */
const gravest = (
  worst: SomeFailed["exitCode"],
  exitCode: ReturnType<typeof explain>["exitCode"]
): SomeFailed["exitCode"] => {
  if (worst === 1 || (exitCode !== 2 && exitCode !== 3)) return 1
  return worst === 3 ? 3 : exitCode
}

const encode = Schema.encodeEffect(Schema.toCodecJson(UploadEvent))

/** `Completed` as for one upload, or `Failed` with the key. */
const tellJson = Effect.fnUntraced(function* (outcome: Ended) {
  const { out } = yield* Output
  if (outcome._tag !== "Failed") {
    const event = UploadEvent.cases.Completed.make({ result: outcome.result })
    return yield* out(`${JSON.stringify(yield* Effect.orDie(encode(event)))}\n`)
  }
  const explanation = explain(outcome.error)
  const { what, todo, exitCode } = explanation
  const resumable = isResumable(explanation)
  const { key } = outcome.request
  const failed = { _tag: "Failed", key, message: what, remedy: todo, resumable, exitCode }
  yield* out(`${JSON.stringify(failed)}\n`)
})
