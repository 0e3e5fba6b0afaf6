/** Fills an emulator from a directory: subdirectories become buckets, their files become objects. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { diskFailed } from "./bytes/blobs.ts"
import { reasonOf } from "./startErrors.ts"
import type { Verbs } from "./verbs.ts"

/** The directory to seed from can't be used. */
export class SeedError extends Schema.TaggedError<SeedError>("@effect-oss/emulator/SeedError")(
  "SeedError",
  { directory: Schema.String, problem: Schema.String, remedy: Schema.String }
) {
  override get message(): string {
    return `${this.directory} can't be read into buckets: ${this.problem}`
  }
}

/** Objects that exist already stay as they are. */
export const seed = Effect.fnUntraced(function* (directory: string, verbs: Verbs) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const failed = (problem: string, remedy: string) => new SeedError({ directory, problem, remedy })
  const names = yield* Effect.mapError(fs.readDirectory(directory, { recursive: true }), (error) =>
    failed(reasonOf(error), "give a directory that you can read")
  )
  for (const name of names.sort()) {
    const file = path.join(directory, name)
    const { type } = yield* Effect.mapError(fs.stat(file), (error) =>
      failed(`${name}: ${reasonOf(error)}`, "give a directory whose files you can read")
    )
    if (type !== "File") continue
    const [bucket = "", ...segments] = name.split(path.sep)
    if (segments.length === 0) {
      return yield* failed(
        `${name} is in no bucket`,
        "put files into subdirectories that have the names of buckets"
      )
    }
    yield* store(verbs, { bucket, key: segments.join("/") }, fs.stream(file)).pipe(
      Effect.mapError(({ message }) =>
        failed(`${name}: ${message}`, "give names of buckets and keys that OSS takes")
      )
    )
  }
})

const store = Effect.fnUntraced(function* (
  verbs: Verbs,
  place: { readonly bucket: string; readonly key: string },
  pieces: ReturnType<FileSystem.FileSystem["stream"]>
) {
  yield* verbs.ensureBucket(place.bucket)
  const isThere = yield* Effect.isSuccess(verbs.head(place))
  if (isThere) return
  yield* verbs.put(
    { now: Clock.currentTimeMillis },
    place,
    { headers: {}, forbidOverwrite: false },
    { pieces: Stream.mapError(pieces, diskFailed) }
  )
})
