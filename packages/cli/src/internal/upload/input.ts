/** What the flags and arguments of `upload` say, read and checked. */
import type * as Directory from "@effect-oss/core/internal/upload/directory"
import type { ObjectOptions } from "@effect-oss/core/ObjectOptions"
import type * as Option from "effect/Option"
import type { StoreInput } from "../checkpointDirectory.ts"
import type { Connection } from "../connection.ts"
import type * as Storage from "../storage.ts"

/** As it is typed. */
export interface Input extends Connection, StoreInput, Storage.Input {
  readonly files: ReadonlyArray<string>
  readonly url: string
  readonly filesFrom: Option.Option<string>
  readonly command: Option.Option<string>
  readonly expectedSize: Option.Option<string>
  readonly include: ReadonlyArray<string>
  readonly exclude: ReadonlyArray<string>
  readonly links: "follow" | "skip" | "fail"
  readonly newerThan: Option.Option<string>
  readonly maxSize: Option.Option<string>
  readonly allowEmpty: boolean
  readonly dryRun: boolean
  readonly skipIdentical: boolean
  readonly skip: Option.Option<"size-time" | "crc64">
  readonly limitRate: Option.Option<string>
  readonly discover: boolean
  readonly partSize: Option.Option<string>
  readonly parallel: number
  readonly retryFor: string
  readonly stallTimeout: string
  readonly noProgress: boolean
  readonly json: boolean
}

/** Which files of those that are found are meant. */
export interface Selection extends Required<Pick<Input, "include" | "exclude" | "links">> {
  /** In milliseconds since 1970: only what was changed later. */
  readonly newerThan: number | undefined
  /** In bytes: only what isn't larger. */
  readonly maxSize: number | undefined
}

/** How each file is uploaded. */
export interface Settings {
  readonly partSize: number | undefined
  readonly parallel: number
  readonly discover: boolean
  readonly skip: "size-time" | "crc64" | undefined
  readonly storage: ObjectOptions
}

/** What `UploadMany` leaves out, and what these flags leave out. */
export type LeftOutReason = Directory.LeftOut["reason"] | "TooOld" | "TooLarge" | "Directory"
