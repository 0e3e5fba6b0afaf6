/** `effect-oss upload` of one file, or of bytes that can be read only once. */
import * as Part from "@effect-oss/core/Part"
import * as Source from "@effect-oss/core/Source"
import * as Upload from "@effect-oss/core/Upload"
import type { UploadEvent } from "@effect-oss/core/UploadEvent"
import * as Text from "@effect-oss/terminal/Text"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { Piped, UnderWay, UsageError } from "../CliFailure.ts"
import * as ObjectUrl from "../ObjectUrl.ts"
import { Output } from "../Output.ts"
import * as Reporter from "../Reporter.ts"
import * as Size from "../Size.ts"
import type { Input, Settings } from "./input.ts"
import type { Given } from "./items.ts"
import { lookAt } from "./items.ts"
import { skipBy } from "./requests.ts"
import * as Streams from "./streams.ts"

/** Uploads one file and shows its events. */
export const file = Effect.fnUntraced(function* (
  { path }: Given,
  url: ObjectUrl.ObjectUrl,
  input: Input,
  { partSize, parallel, discover, skip, storage }: Settings
) {
  const { basename } = yield* Path.Path
  const reporter = yield* reporterOf(input)
  const progress = yield* watch
  let begun = false
  yield* Upload.events({
    ...storage,
    key: ObjectUrl.within(url, basename(path)).key,
    source: Source.file(path),
    partSize,
    concurrency: parallel,
    skipIdentical: skipBy(skip, skip === "size-time" ? yield* lookAt(path) : undefined),
    discover
  }).pipe(
    Stream.runForEach((event) => {
      begun = true
      progress.saw(event)
      return reporter(event)
    }),
    Effect.mapError((error) => (begun ? new UnderWay({ error }) : error)),
    Effect.onInterrupt(() => (input.json ? Effect.void : progress.tell))
  )
}, Effect.scoped)

const reporterOf = ({ json, noProgress }: Input) =>
  (json ? Reporter.json : Reporter.human)({ progress: !noProgress })

/** How much OSS keeps of an interrupted upload. */
const watch = Effect.map(Output, ({ out, screen }) => {
  let kept = 0
  let total: number | null | undefined
  return {
    saw: (event: UploadEvent) => {
      if (event._tag === "Started") total = event.size
      if (event._tag === "Resumed") kept = event.bytes
      if (event._tag === "PartUploaded") kept = event.durable
      if (event._tag === "Restarted") kept = 0
    },
    tell: Effect.suspend(() => {
      if (total === undefined) return Effect.void
      const all = total === null ? "" : ` of ${Text.bytes(total)}`
      return Effect.andThen(screen.pin([]), out(`kept: ${Text.bytes(kept)}${all}\n`))
    })
  }
})

/** The source that can be read only once, if the flags name one. */
export const onceOf = Effect.fnUntraced(function* (input: Input, url: ObjectUrl.ObjectUrl) {
  const { files, command } = input
  const [file = ""] = files
  if (Option.isSome(command)) {
    if (files.length > 0) return yield* together("--command")
    return yield* named("--command", url, Streams.outputOf(command.value, input))
  }
  if (file === "-") {
    if (files.length > 1) return yield* together("-")
    return yield* named("-", url, Streams.standardInput(input))
  }
  if (files.length !== 1 || Option.isSome(input.filesFrom)) return undefined
  const fs = yield* FileSystem.FileSystem
  const isPipe = yield* Effect.match(fs.stat(file), {
    onFailure: () => false,
    onSuccess: ({ type }) => type === "FIFO"
  })
  return isPipe ? yield* named(file, url, Streams.namedPipe(file, input)) : undefined
})

/** A source without a file name needs a key. */
const named = <A, R>(what: string, url: ObjectUrl.ObjectUrl, once: Effect.Effect<A, never, R>) =>
  ObjectUrl.isFolder(url)
    ? new UsageError({
        problem: `${what}: oss://${url.bucket}/${url.key} doesn't name an object`,
        remedy: "give the whole key, since a stream has no name to append"
      })
    : once

const together = (what: string) =>
  new UsageError({
    problem: `${what} can't be uploaded together with files`,
    remedy: "upload it by a command of its own"
  })

/**
 * Uploads bytes that can be read only once. They can't be resumed, so the parts
 * are aborted after a failure.
 */
export const stream = Effect.fnUntraced(function* <R>(
  { id, source }: Streams.Once<R>,
  { key }: ObjectUrl.ObjectUrl,
  input: Input,
  { partSize, parallel, storage }: Settings
) {
  const expected = yield* Effect.fromResult(Size.parseOption("--expected-size", input.expectedSize))
  if (input.dryRun) {
    return yield* new UsageError({
      problem: "--dry-run: a stream is only known once it has been read",
      remedy: "leave --dry-run out"
    })
  }
  const reporter = yield* reporterOf(input)
  const size =
    partSize ?? Option.getOrUndefined(Option.map(expected, (bytes) => Part.partSizeFor(bytes)))
  yield* Upload.events({ ...storage, key, source, partSize: size, concurrency: parallel }).pipe(
    Stream.runForEach(reporter),
    Effect.onError(() => Effect.ignore(Upload.abort({ key, sourceId: id }))),
    Effect.mapError((error) => new Piped({ error }))
  )
}, Effect.scoped)
