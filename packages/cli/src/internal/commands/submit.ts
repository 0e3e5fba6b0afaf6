/** `effect-oss submit`: hands uploads to the runners, and waits for them if asked to. */
import * as Locator from "@effect-oss/cluster/Locator"
import * as Uploads from "@effect-oss/cluster/Uploads"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as ObjectUrl from "../../ObjectUrl.ts"
import { Output } from "../../Output.ts"
import * as Size from "../../Size.ts"
import { conclude, layerClient } from "./cluster.ts"
import { oneKey } from "./places.ts"
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

/** Looking at a source takes a round trip, and so does the database. */
const atOnce = 16

export const run = Effect.fn("submit")(function* (input: Input) {
  const { files, databaseUrl } = input
  const url = yield* Effect.fromResult(ObjectUrl.parse(input.url))
  const partSize = yield* Effect.fromResult(Size.parseOption("--part-size", input.partSize))
  if (files.length > 1 && !ObjectUrl.isFolder(url)) return yield* oneKey(url, files.length)
  const statuses = yield* Effect.gen(function* () {
    // All of them first: runners are not to wait for whoever waits for them.
    const ids = yield* Effect.forEach(
      files,
      (file) => submit(input, file, url, Option.getOrUndefined(partSize)),
      { concurrency: atOnce }
    )
    return input.wait ? yield* watch(ids, input.json) : []
  }).pipe(Effect.provide(layerClient(databaseUrl)))
  return yield* conclude(statuses)
})

const submit = Effect.fnUntraced(function* (
  { json, onFailure, again }: Input,
  file: string,
  url: ObjectUrl.ObjectUrl,
  partSize: number | undefined
) {
  const { out } = yield* Output
  const path = yield* Path.Path
  const source = locatorOf(file, path)
  const { bucket, key } = ObjectUrl.within(url, path.basename(Locator.nameOf(source)))
  const id = yield* Uploads.submit({ bucket, key, source, partSize, onFailure, again })
  yield* out(json ? `${JSON.stringify({ id, bucket, key })}\n` : `${id}\n`)
  return id
})

const locatorOf = (file: string, path: Path.Path): Locator.Locator =>
  /^https?:\/\//.test(file) ? Locator.http(file) : Locator.file(path.resolve(file))
