/** The failures of the command, besides those of an upload. */
import type { UploadError } from "@effect-oss/core/Upload"
import * as Data from "effect/Data"

/** The command line is wrong. Nothing was sent. */
export class UsageError extends Data.TaggedError("UsageError")<{
  readonly problem: string
  readonly remedy: string
}> {
  override get message(): string {
    return this.problem
  }
}

/** A signal ended the command. Acknowledged parts are kept. */
export class Interrupted extends Data.TaggedError("Interrupted")<{
  readonly signal: "SIGINT" | "SIGTERM" | "SIGHUP"
}> {
  override get message(): string {
    return `interrupted by ${this.signal}`
  }
}

/** An upload failed after it had begun, so the command line was right. */
export class UnderWay extends Data.TaggedError("UnderWay")<{ readonly error: UploadError }> {
  override get message(): string {
    return this.error.message
  }
}

/** Some of many uploads failed. Each failure has been reported. */
export class SomeFailed extends Data.TaggedError("SomeFailed")<{
  readonly failed: number
  readonly all: number
  /** 1 if any of them can be resumed. */
  readonly exitCode: 1 | 2 | 3
  /** A hint for the next run of the command; begins with `; `. */
  readonly hint?: string | undefined
}> {
  override get message(): string {
    return `${this.failed} of ${this.all} uploads failed`
  }
}

/** Bytes that can be read only once could not be uploaded. Nothing is left to resume. */
export class Piped extends Data.TaggedError("Piped")<{ readonly error: UploadError }> {
  override get message(): string {
    return this.error.message
  }
}

/** No file matches, or a pattern matches nothing. Nothing was sent. */
export class NothingMatches extends Data.TaggedError("NothingMatches")<{
  readonly problem: string
}> {
  override get message(): string {
    return this.problem
  }
}

/**
 * Standard output could not be written, for example to a full disk. The work of
 * the command is done.
 */
export class Unwritten extends Data.TaggedError("Unwritten")<{ readonly problem: string }> {
  override get message(): string {
    return `standard output: ${this.problem}`
  }
}

/** OSS doesn't have the object, or has another one. */
export class NotStored extends Data.TaggedError("NotStored")<{
  readonly problem: string
  readonly remedy: string
}> {
  override get message(): string {
    return this.problem
  }
}
