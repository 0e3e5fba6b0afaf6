/**
 * Remembers the files that a command has finished until the whole command
 * succeeds. So a repeated run doesn't send them again. Each command, by its
 * arguments, has a file of lines beside the checkpoints. A lost line costs an
 * upload, but never data: before a file is skipped, OSS must still have an
 * object with the same CRC64.
 */
import type { UploadResult } from "@effect-oss/core/UploadEvent"
import * as Crc64 from "@effect-oss/core/Crc64"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import type { Look } from "./items.ts"
import { lookAt } from "./items.ts"

const Line = Schema.fromJsonString(
  Schema.Struct({
    key: Schema.String,
    size: Schema.Finite,
    modified: Schema.Finite,
    inode: Schema.Finite,
    crc64: Schema.BigIntFromString
  })
)
type Line = typeof Line.Type

const decode = Schema.decodeUnknownOption(Line)
const encode = Schema.encodeSync(Line)

export interface Finished {
  /** The CRC64 of the object that an earlier run stored from this file. */
  readonly crc64Of: (key: string, look: Look) => bigint | undefined
  /** Remembers a file that this run has finished. */
  readonly add: (result: UploadResult, look: Look) => Effect.Effect<void>
  /** Forgets all files. Call it when the command has succeeded. */
  readonly forget: Effect.Effect<void>
}

const extension = ".finished"

/** The most bytes to read: about a million files. */
const mostBytes = 512 * 1024 * 1024

/**
 * Reads the finished files of the command with these arguments. If the record is
 * missing or unreadable, there are none.
 */
export const open = Effect.fnUntraced(function* (
  directory: string,
  identity: ReadonlyArray<string>
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(directory, `${nameOf(identity)}${extension}`)
  const lines = new Map<string, Line>()
  for (const text of (yield* read(fs, file)).split("\n")) {
    const line = Option.getOrUndefined(decode(text))
    if (line !== undefined) lines.set(line.key, line)
  }
  const append = (line: Line) =>
    Effect.scoped(
      Effect.flatMap(fs.open(file, { flag: "a", mode: 0o600 }), (handle) =>
        handle.writeAll(new TextEncoder().encode(`${encode(line)}\n`))
      )
    )
  const finished: Finished = {
    crc64Of: (key, look) => {
      const line = lines.get(key)
      return line !== undefined &&
        line.size === look.size &&
        line.modified === look.modified &&
        line.inode === look.inode
        ? line.crc64
        : undefined
    },
    add: ({ key, crc64 }, look) =>
      lines.get(key)?.crc64 === crc64 && finished.crc64Of(key, look) !== undefined
        ? Effect.void
        : Effect.ignore(append({ key, crc64, ...look })),
    forget: Effect.ignore(fs.remove(file, { force: true }))
  }
  return finished
})

/** Doesn't open a planted pipe or device. */
const read = (fs: FileSystem.FileSystem, file: string): Effect.Effect<string> =>
  fs.stat(file).pipe(
    Effect.filterOrFail(({ type, size }) => type === "File" && Number(size) <= mostBytes),
    Effect.andThen(fs.readFileString(file)),
    Effect.orElseSucceed(() => "")
  )

const nameOf = (identity: ReadonlyArray<string>): string =>
  Crc64.of(new TextEncoder().encode(identity.join("\0")))
    .toString(16)
    .padStart(16, "0")

/** Forgets the records of commands that haven't run since `latest`, in milliseconds since 1970. */
export const sweep = Effect.fnUntraced(function* (directory: string, latest: number) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* Effect.orElseSucceed(fs.readDirectory(directory), () => [])
  yield* Effect.forEach(
    names.filter((name) => name.endsWith(extension)),
    Effect.fnUntraced(function* (name) {
      const file = path.join(directory, name)
      const look = yield* lookAt(file)
      if (look !== undefined && look.modified <= latest) {
        yield* Effect.ignore(fs.remove(file, { force: true }))
      }
    }),
    { discard: true }
  )
})
