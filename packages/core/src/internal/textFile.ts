/** Reads small text files: settings, keys, tokens. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"

/** In bytes. No such file is that long, but a log or a disk image named by mistake is. */
const longest = 1024 * 1024

export class Unreadable extends Data.TaggedError("Unreadable")<{
  readonly why: "NotFound" | "PermissionDenied" | "Other"
  /** The message, to follow the file's name. */
  readonly problem: string
}> {}

const unreadable = ({ reason: { _tag } }: PlatformError) =>
  _tag === "NotFound"
    ? new Unreadable({ why: _tag, problem: "doesn't exist" })
    : new Unreadable({
        why: _tag === "PermissionDenied" ? _tag : "Other",
        problem: `can't be read (${_tag})`
      })

/**
 * Reads a file as text. By default, it refuses pipes, because opening one waits for
 * a writer that may never come. Set `pipes` for a file that a user names at the shell.
 */
export const read = Effect.fnUntraced(function* (
  path: string,
  { pipes = false }: { readonly pipes?: boolean } = {}
): Effect.fn.Return<string, Unreadable, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const { type } = yield* Effect.mapError(fs.stat(path), unreadable)
  if (type !== "File" && !(pipes && type !== "Directory")) {
    return yield* new Unreadable({ why: "Other", problem: "is no regular file" })
  }
  // `stream` reads at positions, which a pipe doesn't allow.
  const reading = type === "File" ? textOf(fs, path) : fs.readFileString(path)
  const text = yield* Effect.mapError(reading, unreadable)
  return text === undefined
    ? yield* new Unreadable({ why: "Other", problem: "is longer than 1 MiB" })
    : text
})

const textOf = (fs: FileSystem.FileSystem, path: string) =>
  Effect.map(
    Stream.runFold(
      fs.stream(path, { bytesToRead: longest + 1 }),
      () => ({ bytes: 0, text: "", decoder: new TextDecoder() }),
      ({ bytes, text, decoder }, piece) => ({
        bytes: bytes + piece.length,
        text: text + decoder.decode(piece, { stream: true }),
        decoder
      })
    ),
    ({ bytes, text, decoder }) => (bytes > longest ? undefined : text + decoder.decode())
  )
