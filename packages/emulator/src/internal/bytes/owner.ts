/**
 * Ensures that a data directory has one owner. A second emulator would remove
 * the first one's blobs as unknown, and write into its journal.
 *
 * The owner's file names its process and is touched regularly. For a process on
 * this machine, the check is whether it is alive. For a process elsewhere, such
 * as in a container that shares the directory, the check is whether it still
 * touches the file.
 */
import { hostname } from "node:os"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"

/** Another emulator uses the directory. */
export class DirectoryInUse extends Schema.TaggedError<DirectoryInUse>(
  "@effect-oss/emulator/DirectoryInUse"
)("DirectoryInUse", { directory: Schema.String, file: Schema.String, pid: Schema.Finite }) {
  override get message(): string {
    return `process ${this.pid} uses ${this.directory} (if it doesn't, delete ${this.file})`
  }
}

const Owner = Schema.fromJsonString(
  Schema.Struct({ pid: Schema.Finite, host: Schema.String, token: Schema.Finite })
)
const encode = Schema.encodeEffect(Owner)
const decode = Schema.decodeUnknownOption(Owner)

/** In milliseconds. */
const heartbeat = 2000
const silent = 10_000

/** Owns the directory until the scope closes. */
export const own = Effect.fnUntraced(function* (directory: string, file: string) {
  const fs = yield* FileSystem.FileSystem
  const token = yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)
  const mine = yield* Effect.orDie(encode({ pid: process.pid, host: hostname(), token }))
  const claim = fs.writeFileString(file, mine, { flag: "wx", mode: 0o600 })
  const take = Effect.catchReason(claim, "PlatformError", "AlreadyExists", () =>
    Effect.andThen(evict({ directory, file, token }), claim)
  )
  yield* Effect.acquireRelease(take, () =>
    fs.readFileString(file).pipe(
      Effect.flatMap((text) => (text === mine ? fs.remove(file) : Effect.void)),
      Effect.ignore
    )
  )
  yield* Clock.currentTimeMillis.pipe(
    Effect.flatMap((now) => fs.utimes(file, new Date(now), new Date(now))),
    Effect.ignore,
    Effect.repeat(Schedule.spaced(heartbeat)),
    Effect.forkScoped
  )
})

/** Moves a dead owner's file away. Fails if the owner is alive. */
const evict = Effect.fnUntraced(function* (options: {
  readonly directory: string
  readonly file: string
  readonly token: number
}) {
  const { directory, file, token } = options
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(file)
  const owner = Option.getOrUndefined(decode(text))
  const lives = owner?.host === hostname() ? isAlive(owner.pid) : yield* isTouched(file)
  const inUse = new DirectoryInUse({ directory, file, pid: owner?.pid ?? 0 })
  if (lives) return yield* inUse
  const aside = `${file}.${token}`
  yield* fs.rename(file, aside)
  const moved = yield* fs.readFileString(aside)
  if (moved === text) return yield* fs.remove(aside)
  // Another process was faster, and its file was moved: move it back.
  yield* Effect.ignore(fs.rename(aside, file))
  return yield* inUse
})

/** Signal 0 only checks. A process of another user refuses the signal, but is alive. */
const isAlive = (pid: number): boolean =>
  Result.match(
    Result.try(() => process.kill(pid, 0)),
    {
      onSuccess: () => true,
      onFailure: (error) => error instanceof Error && "code" in error && error.code === "EPERM"
    }
  )

const isTouched = (file: string): Effect.Effect<boolean, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { mtime } = yield* fs.stat(file)
    const now = yield* Clock.currentTimeMillis
    return Option.exists(mtime, (time) => now - time.getTime() < silent)
  })
