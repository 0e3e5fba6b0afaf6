/** `effect-oss submit`: hands uploads to the runners, and can wait for them. */
import { basename, resolve as resolved } from "node:path"
import { nameOf } from "@effect-oss/cluster/internal/locate"
import * as Locator from "@effect-oss/cluster/Locator"
import * as Uploads from "@effect-oss/cluster/Uploads"
import * as Directory from "@effect-oss/core/internal/upload/directory"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { UsageError } from "../CliFailure.ts"
import * as ObjectUrl from "../ObjectUrl.ts"
import { Output } from "../Output.ts"
import * as Size from "../Size.ts"
import { jsonLine } from "../json.ts"
import { conclude, layerClient } from "./cluster.ts"
import { kindOf, oneKey } from "./places.ts"
import { watch } from "./watch.ts"

export interface Input {
  readonly databaseUrl: Option.Option<string>
  readonly files: ReadonlyArray<string>
  readonly url: string
  readonly partSize: Option.Option<string>
  readonly onFailure: "keep" | "abort"
  readonly again: boolean
  readonly wait: boolean
  readonly json: boolean
}

export const run = Effect.fn("submit")(function* (input: Input) {
  const { files, databaseUrl } = input
  const url = yield* Effect.fromResult(ObjectUrl.parse(input.url))
  const partSize = yield* Effect.fromResult(Size.parseOption("--part-size", input.partSize))
  const paths = files.filter((file) => !isUrl(file))
  const places = yield* Effect.forEach(paths, kindOf)
  const directory = places.find(({ directory }) => directory)
  if ((files.length > 1 || directory !== undefined) && !ObjectUrl.isFolder(url)) {
    return yield* oneKey(url, directory?.path ?? files.length)
  }
  const sizes = { ...input, partSize: Option.getOrUndefined(partSize) }
  const statuses = yield* Effect.gen(function* () {
    // Submits everything before it waits, so that runners can start.
    const ids = [
      ...(yield* Effect.forEach(files.filter(isUrl), (file) =>
        one(sizes, Locator.http(file), url)
      )),
      ...(places.length === 1 && directory === undefined
        ? [yield* one(sizes, Locator.file(resolved(places[0]?.path ?? "")), url)]
        : yield* many(sizes, places, url))
    ]
    return input.wait ? yield* watch(ids, input.json) : []
  }).pipe(Effect.provide(layerClient(databaseUrl)))
  return yield* conclude(statuses)
})

type Sizes = Omit<Input, "partSize"> & { readonly partSize: number | undefined }

const isUrl = (file: string): boolean => /^https?:\/\//.test(file)

const one = Effect.fnUntraced(function* (
  { json, partSize, onFailure, again }: Sizes,
  source: Locator.Locator,
  url: ObjectUrl.ObjectUrl
) {
  const { out } = yield* Output
  const { bucket, key } = ObjectUrl.within(url, basename(nameOf(source)))
  const id = yield* Uploads.submit({ bucket, key, source, partSize, onFailure, again })
  yield* out(json ? jsonLine({ id, bucket, key }) : `${id}\n`)
  return id
})

/** Submits files and the content of directories. Small files become one batch. */
const many = Effect.fnUntraced(function* (
  { json, partSize, onFailure, again }: Sizes,
  places: ReadonlyArray<Place>,
  { bucket, key: prefix }: ObjectUrl.ObjectUrl
) {
  if (places.length === 0) return []
  const { out } = yield* Output
  const files = (yield* Effect.forEach(places, filesOf)).flat()
  if (files.length === 0) {
    return yield* new UsageError({
      problem: `there is no file in ${places.map(({ path }) => path).join(", ")}`,
      remedy: "give files, or directories that hold some"
    })
  }
  const ids = yield* Uploads.submitMany({ bucket, prefix, files, partSize, onFailure, again })
  for (const id of ids) yield* out(json ? jsonLine({ id, bucket }) : `${id}\n`)
  return ids
})

interface Place {
  readonly path: string
  readonly directory: boolean
}

const filesOf = Effect.fnUntraced(function* ({ path, directory }: Place) {
  const root = resolved(path)
  if (!directory) return [{ path: root, key: basename(root) }]
  const entries = yield* Stream.runCollect(Directory.entries(root))
  const files: Array<{ readonly path: string; readonly key: string }> = []
  for (const entry of entries) {
    if (entry._tag === "Failed") return yield* entry.error
    if (entry._tag === "File")
      files.push({ path: resolved(entry.path), key: `${basename(root)}/${entry.name}` })
    else yield* Effect.logWarning(`${entry.path} is left out: it is no regular file`)
  }
  return files
})
