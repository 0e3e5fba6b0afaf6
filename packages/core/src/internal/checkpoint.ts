/** What a run compares with a checkpoint, and what follows for its parts. */
import * as Schema from "effect/Schema"
import * as Crc64 from "../Crc64.ts"
import type { ObjectOptions } from "../ObjectOptions.ts"
import type { Part, UploadedPart } from "../Part.ts"

/**
 * A short text that differs when the options differ that Initiate fixes. The
 * checkpoint keeps it in place of the options, whose values may be secret.
 */
export const digestOptions = (options: ObjectOptions): string => {
  const { acl: _, callback: __, ...fixed } = options
  return Crc64.of(new TextEncoder().encode(canonical(fixed))).toString(16)
}

/** JSON with sorted keys and without what is undefined. */
const canonical = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? `{${Object.entries(value)
        .filter(([, value]) => value !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => `${JSON.stringify(name)}:${canonical(value)}`)
        .join()}}`
    : String(JSON.stringify(value))

/**
 * Why parts that were sent are given up:
 *
 * - `SourceChanged`: the source is not what it was;
 * - `OptionsChanged`: other headers, metadata or encryption are asked for, which only Initiate can set;
 * - `PartSizeChanged`: another part size is asked for, or parts of unknown number grew by another version's rule;
 * - `UploadGone`: OSS no longer knows the upload id, and the object isn't there either;
 * - `PartsLost`: OSS doesn't have parts that it acknowledged, and doesn't let these credentials list them;
 * - `CheckpointDamaged`: it could not be read, and the request asks to restart then.
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
 * Why parts that were sent are given up.
 */
export type RestartReason = typeof RestartReason.Type

/**
 * What is to be done with one part of the plan.
 *
 * - `Done`: the journal and OSS agree on it.
 * - `Adoptable`: only OSS knows it; its CRC64 is to be compared with the source's bytes.
 * - `Missing`: it is to be sent.
 */
export type Task =
  | { readonly _tag: "Done"; readonly part: UploadedPart }
  | { readonly _tag: "Adoptable"; readonly part: UploadedPart }
  | { readonly _tag: "Missing"; readonly part: Part }
