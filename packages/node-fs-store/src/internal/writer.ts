/** Creates the file of a journal, and appends to it. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Scope from "effect/Scope"
import type { Checkpoint } from "@effect-oss/core/Checkpoint"
import * as Journal from "./journal.ts"
import type { Lease } from "./lease.ts"
import type { Place } from "./place.ts"
import { discard, fileMode, syncDirectory } from "./place.ts"

/** A journal that is open for appending. */
export interface Writer {
  /** Appends and syncs. After a failure, the content of the file is unknown: write a new journal. */
  readonly append: (text: string) => Effect.Effect<void, PlatformError>
  readonly close: Effect.Effect<void>
  readonly seal: Journal.Seal
}

const encoder = new TextEncoder()

/** The content of a journal and its place. */
export interface Options {
  readonly place: Place
  readonly target: string
  readonly lease: Lease
  readonly key: string
  readonly content: Checkpoint
}

/**
 * Writes a journal, syncs it, and renames it to `target`. Fails if the lease is
 * lost before the rename.
 */
export const publish = Effect.fnUntraced(function* (options: Options) {
  const { place, target, lease } = options
  const fs = yield* FileSystem.FileSystem
  const temporary = `${target}.tmp`
  const scope = yield* Scope.make()
  return yield* Effect.gen(function* () {
    yield* discard(temporary)
    const open = fs.open(temporary, { flag: "ax", mode: fileMode })
    const file = yield* Scope.provide(open, scope)
    const { text, seal } = textOf(options, yield* fs.stat(temporary))
    yield* file.writeAll(encoder.encode(text))
    yield* file.sync
    yield* lease.check
    yield* fs.rename(temporary, target)
    yield* syncDirectory(place.directory)
    return {
      append: (text) => Effect.andThen(file.writeAll(encoder.encode(text)), file.sync),
      close: Scope.close(scope, Exit.void),
      seal
    } satisfies Writer
  }).pipe(
    Effect.onError(() =>
      Effect.andThen(Scope.close(scope, Exit.void), Effect.ignore(discard(temporary)))
    )
  )
})

/** The text names its own file, so that a copy of the file can be recognized. */
const textOf = ({ lease, key, content }: Options, { ino }: FileSystem.File.Info) => {
  const { host, boot, machine } = lease.self
  const inode = Option.match(ino, { onNone: () => "", onSome: String })
  const origin = { host, boot, machine, inode }
  return Journal.begin({ id: lease.token, origin, checkpointKey: key }, content)
}
