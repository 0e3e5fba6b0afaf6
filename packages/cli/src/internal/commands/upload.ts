/** `effect-oss upload`: sends a file, or carries on with what an earlier run left. */
import * as Source from "@effect-oss/core/Source"
import * as Upload from "@effect-oss/core/Upload"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { UnderWay, UsageError } from "../../CliFailure.ts"
import { layerStore } from "../checkpointDirectory.ts"
import type { Connection } from "../connection.ts"
import { layerClient } from "../connection.ts"
import * as ObjectUrl from "../../ObjectUrl.ts"
import * as Reporter from "../../Reporter.ts"
import * as Size from "../../Size.ts"

export interface Input extends Connection {
  readonly file: string
  readonly url: string
  readonly partSize: Option.Option<string>
  readonly parallel: number
  readonly checkpointDir: Option.Option<string>
  readonly noProgress: boolean
  readonly json: boolean
}

export const run = Effect.fn("upload")(function* (input: Input) {
  const { file, parallel, checkpointDir } = input
  const path = yield* Path.Path
  const url = yield* Effect.fromResult(Result.mapError(ObjectUrl.parse(input.url), inOrder(file)))
  const { bucket, key } = ObjectUrl.within(url, path.basename(file))
  const partSize = yield* Effect.fromResult(
    Result.transposeMapOption(input.partSize, (text) => Size.parse("--part-size", text))
  )
  const reporter = yield* (input.json ? Reporter.json : Reporter.human)({
    progress: !input.noProgress
  })
  let begun = false
  const request = {
    key,
    source: Source.file(file),
    partSize: Option.getOrUndefined(partSize),
    concurrency: parallel
  }
  yield* Upload.events(request).pipe(
    Stream.runForEach((event) => {
      begun = true
      return reporter(event)
    }),
    Effect.mapError((error) => (begun ? new UnderWay({ error }) : error)),
    Effect.provide([layerClient(bucket, input), layerStore(checkpointDir)])
  )
}, Effect.scoped)

/** The two arguments are easily swapped. */
const inOrder =
  (file: string) =>
  (error: UsageError): UsageError =>
    file.startsWith("oss://")
      ? new UsageError({
          problem: error.problem,
          remedy: "give the file first, then oss://BUCKET/KEY"
        })
      : error
