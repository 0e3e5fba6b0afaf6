/** `effect-oss submit`: hands uploads to the runners, and waits for them if asked to. */
import * as Locator from "@effect-oss/cluster/Locator"
import * as Uploads from "@effect-oss/cluster/Uploads"
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { SomeFailed } from "../../CliFailure.ts"
import type { Failure } from "../../Explain.ts"
import { explainCause, gravest } from "../../Explain.ts"
import * as ObjectUrl from "../../ObjectUrl.ts"
import { Output } from "../../Output.ts"
import * as Size from "../../Size.ts"
import { describe, layerClient, toJson } from "./cluster.ts"
import { oneKey } from "./places.ts"

export interface Input {
  readonly databaseUrl: Option.Option<string>
  readonly files: ReadonlyArray<string>
  readonly url: string
  readonly partSize: Option.Option<string>
  readonly onFailure: "keep" | "abort"
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
  const failures = yield* Effect.gen(function* () {
    // All of them first: runners are not to wait for whoever waits for them.
    const ids = yield* Effect.forEach(
      files,
      (file) => submit(input, file, url, Option.getOrUndefined(partSize)),
      { concurrency: atOnce }
    )
    return input.wait
      ? yield* Effect.forEach(ids, (id) => failure(input, id), { concurrency: atOnce })
      : []
  }).pipe(Effect.map(Array.flatten), Effect.provide(layerClient(databaseUrl)))
  const [first] = failures
  if (first === undefined) return
  if (files.length === 1) return yield* Effect.failCause(first)
  const exitCode = failures.map((cause) => explainCause(cause).exitCode).reduce(gravest, 2)
  return yield* new SomeFailed({ failed: failures.length, all: files.length, exitCode })
})

const submit = Effect.fnUntraced(function* (
  { json, onFailure }: Input,
  file: string,
  url: ObjectUrl.ObjectUrl,
  partSize: number | undefined
) {
  const { out } = yield* Output
  const path = yield* Path.Path
  const source = locatorOf(file, path)
  const { bucket, key } = ObjectUrl.within(url, path.basename(Locator.nameOf(source)))
  const id = yield* Uploads.submit({ bucket, key, source, partSize, onFailure })
  yield* out(json ? `${JSON.stringify({ id, bucket, key })}\n` : `${id} oss://${bucket}/${key}\n`)
  return id
})

/** Waits for the end, and yields why the upload failed, if it did. */
const failure = Effect.fnUntraced(function* ({ json }: Input, id: string) {
  const { out } = yield* Output
  const status = yield* ended(id)
  yield* out(json ? `${toJson(id, status)}\n` : `${id} ${describe(status)}\n`)
  return failureOf(status)
})

const failureOf = (status: Uploads.Status): ReadonlyArray<Cause.Cause<Failure>> => {
  if (status._tag === "Failed") return [Cause.fail(status.error)]
  return status._tag === "Defect" ? [status.cause] : []
}

/** Asks again and again: runners tell those only who wait in the same process. */
const ended = Effect.fnUntraced(function* (id: string) {
  while (true) {
    const status = yield* Uploads.status(id)
    if (status._tag !== "Waiting" && status._tag !== "Sending") return status
    yield* Effect.sleep("500 millis")
  }
})

const locatorOf = (file: string, path: Path.Path): Locator.Locator =>
  /^https?:\/\//.test(file) ? Locator.http(file) : Locator.file(path.resolve(file))
