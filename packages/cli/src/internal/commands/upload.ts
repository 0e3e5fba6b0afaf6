/** `effect-oss upload`: sends files, or carries on with what an earlier run left. */
import * as RetryPolicy from "@effect-oss/core/RetryPolicy"
import * as Source from "@effect-oss/core/Source"
import * as Upload from "@effect-oss/core/Upload"
import * as UploadDefaults from "@effect-oss/core/UploadDefaults"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { UnderWay, UsageError } from "../../CliFailure.ts"
import { layerStore } from "../checkpointDirectory.ts"
import type { StoreInput } from "../checkpointDirectory.ts"
import type { Connection } from "../connection.ts"
import { layerClient, limited } from "../connection.ts"
import * as Age from "../../Age.ts"
import * as ObjectUrl from "../../ObjectUrl.ts"
import * as Reporter from "../../Reporter.ts"
import * as Size from "../../Size.ts"
import { kindOf, oneKey } from "./places.ts"
import * as UploadMany from "./uploadMany.ts"

export interface Input extends Connection, StoreInput {
  readonly files: ReadonlyArray<string>
  readonly url: string
  readonly include: ReadonlyArray<string>
  readonly exclude: ReadonlyArray<string>
  readonly skipIdentical: boolean
  readonly limitRate: Option.Option<string>
  readonly discover: boolean
  readonly partSize: Option.Option<string>
  readonly parallel: number
  readonly retryFor: string
  readonly noProgress: boolean
  readonly json: boolean
}

export const run = Effect.fn("upload")(function* (input: Input) {
  const { files } = input
  const [file = ""] = files
  const url = yield* Effect.fromResult(Result.mapError(ObjectUrl.parse(input.url), inOrder(file)))
  const partSize = yield* Effect.fromResult(Size.parseOption("--part-size", input.partSize))
  const limitRate = yield* Effect.fromResult(Size.parseOption("--limit-rate", input.limitRate))
  if (Option.contains(limitRate, 0)) return yield* nothing
  const patience = yield* Effect.fromResult(Age.parse("--retry-for", input.retryFor))
  const retries = UploadDefaults.layer({ retry: RetryPolicy.patient({ for: patience }) })
  const client = limited(layerClient(url.bucket, input), limitRate)
  const store = layerStore(input)
  const paths = yield* Effect.forEach(files, kindOf)
  const directory = paths.find(({ directory }) => directory)
  const many = files.length > 1 || directory !== undefined
  if (many && !ObjectUrl.isFolder(url)) {
    return yield* oneKey(url, directory?.path ?? files.length)
  }
  const sizes = { ...input, partSize: Option.getOrUndefined(partSize) }
  return many
    ? yield* Effect.provide(UploadMany.run({ ...sizes, paths, url }, client, store), retries)
    : yield* Effect.provide(one(sizes, file, url), [client, store, retries])
})

/** One file, told of event by event. */
const one = Effect.fnUntraced(function* (
  input: Omit<Input, "partSize"> & { readonly partSize: number | undefined },
  file: string,
  url: ObjectUrl.ObjectUrl
) {
  const path = yield* Path.Path
  const { partSize, parallel, skipIdentical, discover } = input
  const reporter = yield* (input.json ? Reporter.json : Reporter.human)({
    progress: !input.noProgress
  })
  let begun = false
  const { key } = ObjectUrl.within(url, path.basename(file))
  const request = {
    key,
    source: Source.file(file),
    partSize,
    concurrency: parallel,
    skipIdentical,
    discover
  }
  yield* Upload.events(request).pipe(
    Stream.runForEach((event) => {
      begun = true
      return reporter(event)
    }),
    Effect.mapError((error) => (begun ? new UnderWay({ error }) : error))
  )
}, Effect.scoped)

const nothing = new UsageError({
  problem: "--limit-rate: nothing would ever be sent",
  remedy: "give a rate above 0, such as 2MB"
})

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
