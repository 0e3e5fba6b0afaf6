/** Turns requests into executions. */
import { createHash } from "node:crypto"
import { digestOptions } from "@effect-oss/core/internal/checkpoint"
import * as ObjectKey from "@effect-oss/core/internal/objectKey"
import * as Part from "@effect-oss/core/Part"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { BatchWorkflow } from "./batchWorkflow.ts"
import * as Locator from "../Locator.ts"
import * as Locate from "./locate.ts"
import type { ManyRequest, Request } from "../Uploads.ts"
import { UploadWorkflow } from "./uploadWorkflow.ts"
import * as Attempts from "./attempts.ts"
import type { Files } from "./sliceWorkflow.ts"
import { length, SliceWorkflow } from "./sliceWorkflow.ts"

/** The number of concurrent look-ups: each takes a round trip to the source and one to the database. */
const atOnce = 16

/** The execution of one upload, to join or to start. */
export const prepare = Effect.fnUntraced(function* (request: Request) {
  const { bucket, key, source, options = {}, onFailure = "keep", again } = request
  yield* Effect.fromResult(ObjectKey.validate(key))
  const { size, fingerprint } = yield* Effect.scoped(Locate.open(source))
  const { partSize } = yield* Effect.fromResult(Part.plan(size, request.partSize))
  const first = { bucket, key, source, fingerprint, size, partSize, options, onFailure }
  const attempt = yield* attemptOf(
    (attempt) => UploadWorkflow.executionId({ ...first, attempt }),
    (id) => Effect.map(UploadWorkflow.poll(id), isComplete)
  )
  return withAgain({ ...first, attempt }, again)
})

/** The attempt in progress, or the next one. */
const attemptOf = Effect.fnUntraced(function* <R>(
  idOf: (attempt: number) => Effect.Effect<string>,
  isOver: (id: string) => Effect.Effect<boolean, never, R>
) {
  const last = yield* Attempts.last(idOf)
  if (Option.isNone(last)) return 0
  return (yield* isOver(yield* idOf(last.value))) ? last.value + 1 : last.value
})

const isComplete = (ended: Option.Option<{ readonly _tag: string }>): boolean =>
  Option.exists(ended, ({ _tag }) => _tag === "Complete")

const withAgain = <Payload extends { readonly attempt: number }>(
  payload: Payload,
  again = false
): Payload & { readonly again?: true } =>
  again && payload.attempt > 0 ? { ...payload, again: true } : payload

/** Submits small files as a batch, and each large file as an upload. */
export const many = Effect.fnUntraced(function* (request: ManyRequest) {
  yield* distinct(request)
  const files = yield* Effect.forEach(request.files, (file) => look(request, file), {
    concurrency: atOnce
  })
  const small = files.filter(({ isSmall }) => isSmall)
  const ids = small.length > 1 ? [yield* batch(request, small)] : []
  const { bucket, prefix, partSize, options, onFailure, again } = request
  const rest = files.filter((file) => small.length === 1 || !file.isSmall)
  const others = yield* Effect.forEach(
    rest,
    ({ path, key }) => {
      const source = Locator.file(path)
      const one = { bucket, key: `${prefix}${key}`, source, partSize, options, onFailure, again }
      return Effect.flatMap(prepare(one), (job) => UploadWorkflow.execute(job, { discard: true }))
    },
    { concurrency: atOnce }
  )
  return [...ids, ...others]
})

/** Unicode forms of the same name count as one key, as in `UploadMany`. */
const distinct = Effect.fnUntraced(function* ({ prefix, files }: ManyRequest) {
  const owners = new Map<string, string>()
  for (const file of files) {
    const key = `${prefix}${file.key}`
    yield* Effect.fromResult(ObjectKey.validate(key))
    const owner = owners.get(key.normalize("NFC"))
    if (owner !== undefined) {
      return yield* new InvalidRequest({
        field: "key",
        problem: `two files go to ${key}: ${owner} and ${file.path}`,
        remedy: "give each file a key of its own, or submit them one after the other"
      })
    }
    owners.set(key.normalize("NFC"), file.path)
  }
})

const look = Effect.fnUntraced(function* (
  request: ManyRequest,
  { path, key }: ManyRequest["files"][number]
) {
  const { size, fingerprint } = yield* Effect.scoped(Locate.open(Locator.file(path)))
  const { partSize } = yield* Effect.fromResult(Part.plan(size, request.partSize))
  return { path, key, size, fingerprint, isSmall: size < partSize }
})

type Looked = Effect.Success<ReturnType<typeof look>>

/** Submits the slices first: a batch without slices would wait forever. */
const batch = Effect.fnUntraced(function* (request: ManyRequest, files: ReadonlyArray<Looked>) {
  const { bucket, prefix, options = {}, again } = request
  const first = {
    bucket,
    key: prefix,
    size: files.reduce((sum, { size }) => sum + size, 0),
    files: files.length,
    slices: Math.ceil(files.length / length),
    digest: digestOf(request, files),
    options
  }
  const attempt = yield* attemptOf(
    (attempt) => BatchWorkflow.executionId({ ...first, attempt }),
    (id) => Effect.map(BatchWorkflow.poll(id), isComplete)
  )
  const payload = withAgain({ ...first, attempt }, again)
  const id = yield* BatchWorkflow.executionId(payload)
  const common = directoryOf(files)
  const skipIdentical = attempt > 0 && again !== true
  yield* Effect.forEach(
    Array.from({ length: first.slices }, (_, index) => index),
    (index) => {
      const own = files.slice(index * length, (index + 1) * length)
      const slice = { batch: id, index, bucket, options, skipIdentical }
      return SliceWorkflow.execute({ ...slice, ...compact(common, prefix, own) }, { discard: true })
    },
    { concurrency: atOnce, discard: true }
  )
  return yield* BatchWorkflow.execute(payload, { discard: true })
})

const digestOf = ({ prefix, options = {} }: ManyRequest, files: ReadonlyArray<Looked>) => {
  const { acl, callback } = options
  const hash = createHash("sha256")
  hash.update(JSON.stringify([prefix, digestOptions(options), acl, callback]))
  for (const { path, key, fingerprint } of files) {
    hash.update(JSON.stringify([path, key, fingerprint]))
  }
  return hash.digest("hex")
}

/** The common prefix of all paths, up to a slash. */
const directoryOf = (files: ReadonlyArray<Looked>): string => {
  let common = files[0]?.path ?? ""
  for (const { path } of files) {
    while (!path.startsWith(common))
      common = common.slice(0, common.lastIndexOf("/", common.length - 2) + 1)
  }
  return common.slice(0, common.lastIndexOf("/") + 1)
}

const compact = (directory: string, prefix: string, files: ReadonlyArray<Looked>): Files => ({
  directory,
  prefix,
  files: files.map(({ path, key, fingerprint, size }) => {
    const rest = path.slice(directory.length)
    return { path: rest, ...(key === rest ? {} : { key }), fingerprint, size }
  })
})
