/** Reads the paths of `--files-from`. */
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { UsageError } from "../CliFailure.ts"
import type { ObjectUrl } from "../ObjectUrl.ts"
import type { Given } from "./items.ts"

/**
 * Each path with its key, which is the listed path below the folder. Directories
 * are skipped, because such a list also names the files in them.
 */
export const filesFrom = Effect.fnUntraced(function* (file: string, { key }: ObjectUrl) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const text = yield* decoded(file === "-" ? yield* standardInput : yield* contentOf(fs, file))
  const separator = text.includes("\0") ? "\0" : /\r?\n/
  const paths = text.split(separator).filter((line) => line !== "")
  const given = yield* Effect.forEach(
    paths,
    Effect.fnUntraced(function* (listed) {
      const type = yield* Effect.match(fs.stat(listed), {
        onFailure: () => "Unknown" as const,
        onSuccess: ({ type }) => type
      })
      const relative = path.normalize(listed).replace(/^\/+/, "")
      return { path: listed, type, key: `${key}${relative}` } satisfies Given
    }),
    { concurrency: 16 }
  )
  return given.filter(({ type }) => type !== "Directory")
})

const contentOf = (fs: FileSystem.FileSystem, file: string) =>
  Effect.mapError(
    fs.readFile(file),
    ({ message }) =>
      new UsageError({
        problem: `--files-from: ${message}`,
        remedy:
          "give a file that lists paths, one a line or separated by NUL, or - for standard input"
      })
  )

const standardInput = NodeStream.fromReadable<Uint8Array, UsageError>({
  evaluate: () => process.stdin,
  onError: (error) =>
    new UsageError({
      problem: `--files-from -: ${String(error)}`,
      remedy: "see that standard input can be read"
    })
}).pipe(Stream.runCollect, Effect.map(Bytes.concat))

const decoded = (bytes: Uint8Array) =>
  Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () =>
      new UsageError({
        problem: "--files-from: a name in the list is not UTF-8",
        remedy: "rename that file, since the key of an object has to be UTF-8"
      })
  })
