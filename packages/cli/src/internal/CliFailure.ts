/** What the command itself can fail with, besides what an upload fails with. */
import type { UploadError } from "@effect-oss/core/Upload"
import * as Data from "effect/Data"

/** The command line can't be carried out as it stands; nothing was sent. */
export class UsageError extends Data.TaggedError("UsageError")<{
  readonly problem: string
  readonly remedy: string
}> {
  override get message(): string {
    return this.problem
  }
}

/** A signal ended the command; what was acknowledged is kept. */
export class Interrupted extends Data.TaggedError("Interrupted")<{
  readonly signal: "SIGINT" | "SIGTERM" | "SIGHUP"
}> {
  override get message(): string {
    return `interrupted by ${this.signal}`
  }
}

/** An upload failed after it had begun, so that this was not the command line's fault. */
export class UnderWay extends Data.TaggedError("UnderWay")<{ readonly error: UploadError }> {
  override get message(): string {
    return this.error.message
  }
}

/** Some of many uploads failed; each has been told of. */
export class SomeFailed extends Data.TaggedError("SomeFailed")<{
  readonly failed: number
  readonly all: number
  /** 1 if any of them can be carried on with. */
  readonly exitCode: 1 | 2 | 3
  /** What to know when the command is run again; begins with `; `. */
  readonly hint?: string | undefined
}> {
  override get message(): string {
    return `${this.failed} of ${this.all} uploads failed`
  }
}

/** Bytes that come once could not be uploaded: nothing is left of them to carry on with. */
export class Piped extends Data.TaggedError("Piped")<{ readonly error: UploadError }> {
  override get message(): string {
    return this.error.message
  }
}

/** What is asked for matches nothing, or a pattern does. Nothing was sent. */
export class NothingMatches extends Data.TaggedError("NothingMatches")<{
  readonly problem: string
}> {
  override get message(): string {
    return this.problem
  }
}

/** Standard output could not be written, for instance to a full disk. What was done is done. */
export class Unwritten extends Data.TaggedError("Unwritten")<{ readonly problem: string }> {
  override get message(): string {
    return `standard output: ${this.problem}`
  }
}

/** OSS doesn't have what was looked for, or has something else. */
export class NotStored extends Data.TaggedError("NotStored")<{
  readonly problem: string
  readonly remedy: string
}> {
  override get message(): string {
    return this.problem
  }
}
