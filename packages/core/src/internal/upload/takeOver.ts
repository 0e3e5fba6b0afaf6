/**
 * Takes over an upload without a checkpoint: ali-oss began it, or its checkpoint
 * was lost. In the second case, it counts as this source's only if its parts fit a
 * plan of the source and the CRC64 of its first part is that of the source's bytes.
 * The other parts are compared before they are adopted.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Checkpoint from "../../Checkpoint.ts"
import type { OssError } from "../../OssError.ts"
import * as Part from "../../Part.ts"
import * as Source from "../../Source.ts"
import { InvalidRequest } from "../../UploadError.ts"
import * as Initiate from "./initiate.ts"
import { listParts, uploadsOfKey } from "./listing.ts"
import type { Upload } from "./resume.ts"
import type { Failure, Session } from "./session.ts"
import * as Slice from "../source/slice.ts"
import * as Decisions from "./decisions.ts"
import type { RestartReason } from "../checkpoint.ts"
import { digestOptions } from "../checkpoint.ts"

/** The upload to take over, if there is one. */
export type Found =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Found"; readonly upload: Upload }
  | {
      /** An upload that this run can't resume. */
      readonly _tag: "Obsolete"
      readonly reason: RestartReason
      readonly abort: Effect.Effect<void, OssError>
    }

const nothing: Found = { _tag: "Nothing" }

/** Finds the upload that `from` or `discover` asks for. */
export const takeOver = Effect.fnUntraced(function* (
  session: Session
): Effect.fn.Return<Found, Failure> {
  const { source, from, discover } = session
  if (Option.isNone(from) && !discover) return nothing
  if (source._tag === "Sequential") {
    return yield* onlyRandomAccess(discover ? "discover" : "from", source.lacks)
  }
  const found = Option.isSome(from)
    ? yield* fromAliOss({ ...session, source }, from.value)
    : yield* newest({ ...session, source })
  if (found._tag === "Found") yield* warnOfOptions(session)
  return found
})

const onlyRandomAccess = (field: string, lacks = "random access") =>
  new InvalidRequest({
    field,
    problem: `parts can't be compared with a source that lacks ${lacks}`,
    remedy: "leave it out, or give a file, a blob or bytes as the source"
  })

/** Warns that the upload may have begun with other options than those of this request. */
const warnOfOptions = ({ options, key }: Session) =>
  digestOptions(options) === digestOptions({})
    ? Effect.void
    : Effect.logWarning(
        `${key}: resumes an upload whose headers and metadata OSS does not return: the object keeps those that the upload began with`
      )

const fromAliOss = Effect.fnUntraced(
  function* (
    session: Session<Source.RandomAccess>,
    { uploadId, fileSize, partSize }: Checkpoint.AliOss
  ): Effect.fn.Return<Found, Failure> {
    const { size } = session.source
    const obsolete = (reason: RestartReason): Found => ({
      _tag: "Obsolete",
      reason,
      abort: Initiate.abort(session, uploadId)
    })
    if (size !== fileSize) return obsolete("SourceChanged")
    if (Option.getOrElse(session.partSize, () => partSize) !== partSize) {
      return obsolete("PartSizeChanged")
    }
    yield* Effect.fromResult(Part.plan(size, partSize))
    const listed = yield* listParts(session, uploadId)
    return { _tag: "Found", upload: { uploadId, partSize, recorded: [], listed } }
  },
  Effect.catchReason("OssError", "NoSuchUpload", () =>
    Effect.succeed<Found>({ _tag: "Obsolete", reason: "UploadGone", abort: Effect.void })
  )
)

/** The newest upload of the key with parts of this source and the requested part size. */
const newest = Effect.fnUntraced(function* (
  session: Session<Source.RandomAccess>
): Effect.fn.Return<Found, Failure> {
  const uploads = yield* uploadsOfKey(session)
  const others = yield* Stream.runCollect(
    session.store.listObject({
      endpoint: session.client.endpoint,
      bucket: session.client.bucket,
      key: session.key
    })
  )
  const held = new Set(others.map(({ header }) => header.uploadId))
  const newestFirst = uploads
    .filter(({ uploadId }) => !held.has(uploadId))
    .sort((a, b) => b.initiated - a.initiated)
  for (const { uploadId } of newestFirst) {
    const upload = yield* inspect(session, uploadId)
    if (Option.isNone(upload)) continue
    const { partSize } = upload.value
    if (Option.getOrElse(session.partSize, () => partSize) === partSize) {
      return { _tag: "Found", upload: upload.value }
    }
  }
  return nothing
})

/** The upload, if its parts are those of this source. */
const inspect = Effect.fnUntraced(
  function* (session: Session<Source.RandomAccess>, uploadId: string) {
    const listed = Option.getOrElse(yield* listParts(session, uploadId), () => [])
    const plan = Decisions.planOf(session.source.size, listed)
    if (Option.isNone(plan)) return Option.none<Upload>()
    const tasks = Decisions.reconcile(plan.value, [], Option.some(listed))
    const first = tasks.find((task) => task._tag === "Adoptable")
    if (first === undefined) return Option.none<Upload>()
    const { offset, size, crc64 } = first.part
    const local = yield* Slice.crc64(session.source, offset, size)
    const { partSize } = plan.value
    return local === crc64
      ? Option.some<Upload>({ uploadId, partSize, recorded: [], listed: Option.some(listed) })
      : Option.none<Upload>()
  },
  Effect.catchReason("OssError", "NoSuchUpload", () => Effect.succeedNone)
)
