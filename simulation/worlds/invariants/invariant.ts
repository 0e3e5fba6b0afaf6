/** What an invariant may look at, and when. */
import type { UploadError, UploadRequest } from "@effect-oss/core/Upload"
import type { UploadEvent, UploadResult } from "@effect-oss/core/UploadEvent"
import type { EmulatedObject } from "@effect-oss/emulator/OssEmulator"
import type * as Option from "effect/Option"
import type { Call, Point, Process } from "../../kernel/process.ts"
import type { SourceFile } from "../../kernel/sourceFiles.ts"

/** What an invariant knows of an uploader. */
export interface Party {
  readonly name: string
  readonly file: SourceFile
  readonly sourceId: string
  /** The directory of its checkpoints. */
  readonly directory: string
  readonly key: string
  /** How it ended. */
  readonly end: Option.Option<UploadResult | UploadError>
}

/** Two are the same value as long as the object is the same. */
export type Headers = EmulatedObject["headers"]

/** One process of a party, or a sweep. */
export interface Run {
  readonly name: string
  /** Empty for a sweep. */
  readonly key: string
  /** The directory of its checkpoints; empty for another program. */
  readonly store: string
  /** When it started. */
  readonly from: number
  readonly request: UploadRequest<unknown, unknown> | undefined
  /** The last upload id that it used. */
  uploadId: string
  /** The headers of the object that it has surely made. */
  made: Headers | undefined
}

/** One promise, and the moments at which it is checked. A broken one throws. */
export interface Invariant {
  /** One sentence; the README lists it. */
  readonly promise: string
  readonly onPoint?: (run: Run, point: Point, process: Process) => void
  readonly onEvent?: (run: Run, event: UploadEvent) => void
  readonly onCarriedOut?: (run: Run, call: Call, awaited: boolean) => void
  /** So many bytes of the body of an answer have been read. */
  readonly onTaken?: (run: Run, call: Call, status: number, bytes: number) => void
  /** A file of the store was damaged; `bytes` are those before. */
  readonly onDamage?: (path: string, bytes: Uint8Array) => void
  /** The disk refused what was to be done with a file or a directory. */
  readonly onRefused?: (path: string) => void
  readonly onSuccess?: (party: Party, run: Run, result: UploadResult) => void
  readonly onError?: (party: Party, error: UploadError) => void
  /** A process has just ended; the returned function looks at it once its last turn is over. */
  readonly onExit?: (process: Process) => () => void
  readonly atTheEnd?: (parties: ReadonlyArray<Party>) => void
}
