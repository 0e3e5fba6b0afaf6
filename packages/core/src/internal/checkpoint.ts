/** The options digest of a checkpoint, the reasons to restart, and the tasks of a run. */
import * as Schema from "effect/Schema"
import * as Crc64 from "../Crc64.ts"
import type { ObjectOptions } from "../ObjectOptions.ts"
import type { Part, UploadedPart } from "../Part.ts"

/**
 * A digest of the options that Initiate fixes. The checkpoint keeps it instead of
 * the options, whose values may be secret.
 */
export const digestOptions = (options: ObjectOptions): string => {
  const { acl: _, callback: __, ...fixed } = options
  return Crc64.of(new TextEncoder().encode(canonical(fixed))).toString(16)
}

/** JSON with sorted keys and without undefined values. */
const canonical = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? `{${Object.entries(value)
        .filter(([, value]) => value !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => `${JSON.stringify(name)}:${canonical(value)}`)
        .join()}}`
    : String(JSON.stringify(value))

/**
 * Why an upload gives up the parts sent so far:
 *
 * - `SourceChanged`: the source has changed.
 * - `OptionsChanged`: the request has other headers, metadata or encryption. Only Initiate sets them.
 * - `PartSizeChanged`: the request has another part size, or growing parts follow another rule now.
 * - `UploadGone`: OSS no longer knows the upload id, and the object isn't stored either.
 * - `PartsLost`: OSS lost parts that it acknowledged, and doesn't let these credentials list parts.
 * - `CheckpointDamaged`: the checkpoint can't be read, and the request asks to restart then.
 */
export const RestartReason = Schema.Literals([
  "SourceChanged",
  "OptionsChanged",
  "PartSizeChanged",
  "UploadGone",
  "PartsLost",
  "CheckpointDamaged"
])

/**
 * Why an upload gives up the parts sent so far.
 */
export type RestartReason = typeof RestartReason.Type

/**
 * The state of one part of the plan.
 *
 * - `Done`: the journal has it, and OSS's list agrees or can't be read.
 * - `Adoptable`: OSS has it, and the journal doesn't agree. Compare its CRC64 with the source.
 * - `Missing`: the part has to be sent.
 */
export type Task =
  | { readonly _tag: "Done"; readonly part: UploadedPart }
  | { readonly _tag: "Adoptable"; readonly part: UploadedPart }
  | { readonly _tag: "Missing"; readonly part: Part }
