/** Reads and checks the flags and arguments of `upload`. */
import type * as Directory from "@effect-oss/core/internal/upload/directory"
import type { ObjectOptions } from "@effect-oss/core/ObjectOptions"
import type * as Option from "effect/Option"
import type { StoreInput } from "../checkpointDirectory.ts"
import type { Connection } from "../connection.ts"
import type * as Storage from "../storage.ts"

/** The flags and arguments as the user typed them. */
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

/** The conditions for files that are found. */
export interface Selection extends Required<Pick<Input, "include" | "exclude" | "links">> {
  /** Only files modified later than this, in milliseconds since 1970. */
  readonly newerThan: number | undefined
  /** Only files up to this size, in bytes. */
  readonly maxSize: number | undefined
}

/** The options of each upload. */
export interface Settings {
  readonly partSize: number | undefined
  readonly parallel: number
  readonly discover: boolean
  readonly skip: "size-time" | "crc64" | undefined
  readonly storage: ObjectOptions
}

/** The conditions of `UploadMany` and of these flags. */
export type LeftOutReason = Directory.LeftOut["reason"] | "TooOld" | "TooLarge" | "Directory"
