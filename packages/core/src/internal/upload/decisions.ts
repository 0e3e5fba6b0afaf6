/**
 * Decides from a checkpoint whether a run can resume, and which parts it still
 * has to send. This module is pure.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Header } from "../../Checkpoint.ts"
import type { RestartReason, Task } from "../checkpoint.ts"
import * as Crc64 from "../../Crc64.ts"
import type { ListedPart } from "../../OssModel.ts"
import type { Plan, UploadedPart } from "../../Part.ts"
import * as Part from "../../Part.ts"
import * as Parts from "../parts.ts"

/**
 * Why a run that wants `wanted` can't resume from this checkpoint; none if it
 * can. If the run asks for no part size, it uses the checkpoint's.
 */
export const incompatibility = (
  header: Header,
  wanted: {
    readonly size: number | null
    readonly fingerprint: string
    readonly options: string
    readonly partSize: Option.Option<number>
  }
): Option.Option<RestartReason> => {
  if (header.fingerprint !== wanted.fingerprint || header.size !== wanted.size) {
    return Option.some("SourceChanged")
  }
  if (header.options !== wanted.options) return Option.some("OptionsChanged")
  const asked = Option.getOrElse(wanted.partSize, () => header.partSize)
  const grewOtherwise = header.size === null && header.growth !== Parts.growth
  return asked !== header.partSize || grewOtherwise ? Option.some("PartSizeChanged") : Option.none()
}

/**
 * Compares the journal with OSS's list, for each part of the plan, in order.
 * Without a list (OSS doesn't let these credentials list parts), the journal
 * alone decides. If it is wrong, Complete fails.
 */
export const reconcile = (
  plan: Pick<Plan, "parts">,
  recorded: Iterable<UploadedPart>,
  listed: Option.Option<ReadonlyArray<ListedPart>>
): ReadonlyArray<Task> => plan.parts.map(reconciler(recorded, listed))

/**
 * The same, part by part, for a plan that becomes known only while the source
 * is read.
 */
export const reconciler = (
  recorded: Iterable<UploadedPart>,
  listed: Option.Option<ReadonlyArray<ListedPart>>
): ((part: Part.Part) => Task) => {
  const journal = new Map(Array.from(recorded, (part) => [part.number, part]))
  const server = Option.map(listed, (parts) => new Map(parts.map((part) => [part.number, part])))
  return (part) => {
    const known = journal.get(part.number)
    const fits = known !== undefined && known.offset === part.offset && known.size === part.size
    if (Option.isNone(server)) {
      return fits ? { _tag: "Done", part: known } : { _tag: "Missing", part }
    }
    const there = server.value.get(part.number)
    if (there === undefined || there.size !== part.size) return { _tag: "Missing", part }
    if (
      fits &&
      known.etag === there.etag &&
      Option.getOrElse(there.crc64, () => known.crc64) === known.crc64
    ) {
      return { _tag: "Done", part: known }
    }
    return Option.match(there.crc64, {
      onNone: () => ({ _tag: "Missing", part }),
      onSome: (crc64) => ({ _tag: "Adoptable", part: { ...part, etag: there.etag, crc64 } })
    })
  }
}

/**
 * A plan for a source of `size` bytes that the listed parts fit; none if there is
 * none. The part size is that of the largest part. A single part may also be the
 * last one of the plan: then the part size follows from its number.
 */
export const planOf = (size: number, listed: ReadonlyArray<ListedPart>): Option.Option<Plan> => {
  const partSizes = [
    Math.max(...listed.map((part) => part.size)),
    ...(listed.length === 1 ? listed.map((last) => (size - last.size) / (last.number - 1)) : [])
  ]
  return Option.firstSomeOf(
    partSizes.map((partSize) =>
      Option.filter(Result.getSuccess(Part.plan(size, partSize)), ({ parts }) =>
        listed.every((part) => parts[part.number - 1]?.size === part.size)
      )
    )
  )
}

/**
 * The CRC64 of the whole object, if `parts`, in any order, are all parts of the
 * plan; none otherwise.
 */
export const wholeCrc64 = (
  plan: Pick<Plan, "parts">,
  parts: Iterable<UploadedPart>
): Option.Option<bigint> => {
  const byNumber = new Map(Array.from(parts, (part) => [part.number, part]))
  let crc64 = 0n
  for (const { number, offset, size } of plan.parts) {
    const part = byNumber.get(number)
    if (part === undefined || part.offset !== offset || part.size !== size) return Option.none()
    crc64 = Crc64.combine(crc64, part.crc64, size)
  }
  return Option.some(crc64)
}
