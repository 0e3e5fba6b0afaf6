/**
 * Sources that can be read only once: standard input, a named pipe, and the
 * output of a program.
 */
import type { Sequential, Source } from "@effect-oss/core/Source"
import { SourceError, SourceUnreadable } from "@effect-oss/core/Source"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ChildProcess from "effect/process/ChildProcess"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Stream from "effect/Stream"
import { createReadStream } from "node:fs"

/** A source that can be read only once, with an id that no other run has. */
export interface Once<R> {
  readonly id: string
  readonly source: Source<never, R>
}

const unreadable = (source: string, description: string) =>
  new SourceError({ source, reason: new SourceUnreadable({ description }) })

const empty = (source: string) =>
  new SourceError({
    source,
    reason: new SourceUnreadable({
      description: "it is empty",
      advice: "see why, or add --allow-empty if an empty object is what you expect"
    })
  })

/** Whether an empty object is acceptable. */
export interface Options {
  readonly allowEmpty: boolean
}

/**
 * Fails if the source is empty. A second reading, a program that fails before it
 * writes anything, and a closed standard input all give no bytes, and an empty
 * object would look like a success.
 */
const once = Effect.fnUntraced(function* <R>(
  name: string,
  bytes: Stream.Stream<Uint8Array, SourceError, R>,
  { allowEmpty }: Options
): Effect.fn.Return<Once<R>> {
  const id = `once:${name}:${process.pid}-${yield* Clock.currentTimeMillis}`
  let isUsed = false
  const guarded = Stream.suspend(() => {
    if (isUsed) return Stream.fail(unreadable(name, "it can be read only once"))
    isUsed = true
    return allowEmpty ? bytes : Stream.orElseIfEmpty(bytes, () => Stream.fail(empty(name)))
  })
  const opened = Effect.map(Effect.context<R>(), (context): Sequential => ({
    _tag: "Sequential",
    id,
    size: null,
    fingerprint: id,
    bytes: Stream.provideContext(guarded, context)
  }))
  return { id, source: { name, open: opened } }
})

export const standardInput = (options: Options) =>
  once(
    "standard input",
    NodeStream.fromReadable<Uint8Array, SourceError>({
      evaluate: () => process.stdin,
      onError: (error) => unreadable("standard input", String(error)),
      closeOnDone: false
    }),
    options
  )

export const namedPipe = (path: string, options: Options) =>
  once(
    path,
    NodeStream.fromReadable<Uint8Array, SourceError>({
      evaluate: () => createReadStream(path),
      onError: (error) => unreadable(path, String(error))
    }),
    options
  )

/**
 * The output of a shell command. Unless the command exits with 0, the upload
 * fails and nothing is stored.
 */
export const outputOf = (command: string, options: Options) => {
  const failed = (description: string) => unreadable(command, description)
  const bytes = Stream.unwrap(
    Effect.gen(function* () {
      const shell = ChildProcess.make("sh", ["-c", command], {
        stdin: "ignore",
        stderr: "inherit"
      })
      const running = yield* Effect.mapError(shell, ({ message }) => failed(message))
      const ended = Effect.matchEffect(running.exitCode, {
        onFailure: ({ message }) => Effect.fail(failed(message)),
        onSuccess: (code) =>
          Number(code) === 0 ? Effect.void : Effect.fail(failed(`it ended with exit code ${code}`))
      })
      return running.stdout.pipe(
        Stream.mapError(({ message }) => failed(message)),
        Stream.concat(Stream.drain(Stream.fromEffect(ended)))
      )
    })
  )
  return once<ChildProcessSpawner>(command, bytes, options)
}
