/** `effect-oss abort`: gives up the unfinished uploads of one object. */
import type { Summary } from "@effect-oss/core/Checkpoint"
import { OssClient } from "@effect-oss/core/OssClient"
import { printable } from "@effect-oss/terminal/Text"
import * as Upload from "@effect-oss/core/Upload"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { UsageError } from "../CliFailure.ts"
import { layerStore } from "../checkpointDirectory.ts"
import type { StoreInput } from "../checkpointDirectory.ts"
import type { Connection } from "../connection.ts"
import { layerClient } from "../connection.ts"
import { describe } from "../summaries.ts"
import * as ObjectUrl from "../ObjectUrl.ts"
import { Output } from "../Output.ts"

export interface Input extends Connection, StoreInput {
  readonly url: string
  readonly file: Option.Option<string>
  readonly dryRun: boolean
}

export const run = Effect.fn("abort")(function* (input: Input) {
  const { bucket, key } = yield* objectOf(input)
  const sourceId = Option.isSome(input.file) ? yield* sourceIdOf(input.file.value) : undefined
  const place = { bucket, key, sourceId }
  yield* (input.dryRun ? list(place) : giveUp(place)).pipe(
    Effect.provide([layerClient(bucket, input), layerStore(input)])
  )
})

/** The key that `upload` makes of the same arguments. */
const objectOf = Effect.fnUntraced(function* ({ url: text, file }: Input) {
  const path = yield* Path.Path
  const url = yield* Effect.fromResult(ObjectUrl.parse(text))
  if (ObjectUrl.isFolder(url) && Option.isNone(file)) {
    return yield* new UsageError({
      problem: `"${text}" does not say which object`,
      remedy: "give the whole key, or the file with --file"
    })
  }
  return ObjectUrl.within(url, path.basename(Option.getOrElse(file, () => "")))
})

/** The file may be gone. Then its path is used. */
const sourceIdOf = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const real = yield* Effect.orElseSucceed(fs.realPath(file), () => path.resolve(file))
  return `file:${real}`
})

interface Place {
  readonly bucket: string
  readonly key: string
  readonly sourceId: string | undefined
}

const giveUp = Effect.fnUntraced(function* (place: Place) {
  const { endpoint } = yield* OssClient
  yield* tell("gave up", place, endpoint, yield* Upload.abort(place))
})

/** Lists what would be given up. */
const list = Effect.fnUntraced(function* ({ bucket, key, sourceId }: Place) {
  const { endpoint } = yield* OssClient
  const found = yield* Upload.pending.pipe(
    Stream.filter(
      ({ header }) =>
        header.bucket === bucket &&
        header.key === key &&
        header.endpoint === endpoint &&
        (sourceId === undefined || header.sourceId === sourceId)
    ),
    Stream.runCollect
  )
  yield* tell("would give up", { bucket, key, sourceId }, endpoint, found)
})

const tell = Effect.fnUntraced(function* (
  verb: string,
  place: Place,
  endpoint: string,
  summaries: ReadonlyArray<Summary>
) {
  const { out } = yield* Output
  const lines =
    summaries.length > 0
      ? summaries.map((summary) => `${verb} ${describe(summary)}`)
      : [yield* nothing(place, endpoint)]
  yield* out(lines.map((line) => `${printable(line)}\n`).join(""))
})

/** An upload belongs to its endpoint: the same bucket at another endpoint doesn't count. */
const nothing = Effect.fnUntraced(function* ({ bucket, key, sourceId }: Place, endpoint: string) {
  const elsewhere = yield* Stream.runHead(
    Stream.filter(
      Upload.pending,
      ({ header }) =>
        header.bucket === bucket &&
        header.key === key &&
        header.endpoint !== endpoint &&
        (sourceId === undefined || header.sourceId === sourceId)
    )
  )
  const none = `nothing to give up for ${bucket}/${key}`
  return Option.match(elsewhere, {
    onNone: () => none,
    onSome: ({ header }) => `${none} at ${endpoint}; there is an upload at ${header.endpoint}`
  })
})
