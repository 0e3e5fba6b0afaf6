/**
 * A file of commands, one on each line, from which the state is rebuilt. A last
 * line that a kill or a full disk cut off is dropped. Damage anywhere else is
 * an error, because the later commands would not fit.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { Command } from "../state/model.ts"

/** The file is not a journal of this version. */
export class JournalError extends Schema.TaggedError<JournalError>(
  "@effect-oss/emulator/JournalError"
)("JournalError", {
  file: Schema.String,
  /** Counted from 1. */
  line: Schema.Finite,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.file}, line ${this.line}: ${this.problem}`
  }
}

/** An open journal. */
export interface Journal {
  /** All commands so far, in order. */
  readonly commands: ReadonlyArray<Command>
  /** The command is written when it returns, and not at all if it fails. Never call it concurrently. */
  readonly append: (command: Command) => Effect.Effect<void, PlatformError>
}

const Line = Schema.fromJsonString(Schema.toCodecJson(Command))
const encode = Schema.encodeEffect(Line)
const decode = Schema.decodeEffect(Line)

/** Opens or creates the journal. It closes with the scope. */
export const open = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* fs.open(path, { flag: "a+", mode: 0o600 })
  const text = yield* fs.readFile(path)
  let length = text.lastIndexOf(0x0a) + 1
  if (length < text.length) yield* file.truncate(length)

  const lines = new TextDecoder().decode(text.subarray(0, length)).split("\n").slice(0, -1)
  const commands = yield* Effect.forEach(lines, (line, index) =>
    Effect.mapError(
      decode(line),
      (error) => new JournalError({ file: path, line: index + 1, problem: error.message })
    )
  )

  const append = Effect.fnUntraced(function* (command: Command) {
    const line = new TextEncoder().encode(`${yield* Effect.orDie(encode(command))}\n`)
    yield* Effect.onError(file.writeAll(line), () => Effect.ignore(file.truncate(length)))
    length += line.length
  })
  return { commands, append } satisfies Journal
})
