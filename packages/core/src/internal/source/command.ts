/**
 * Uploads the output of a command or of a pipeline of commands. The source fails
 * if any command fails, so a partial dump never counts as the whole.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as PlatformError from "effect/PlatformError"
import * as ChildProcess from "effect/process/ChildProcess"
import type { ChildProcessHandle } from "effect/process/ChildProcessSpawner"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Stream from "effect/Stream"
import type { SequentialOptions, Source, SourceError } from "../../Source.ts"
import { unreadable } from "./errors.ts"
import { sequential } from "./stream.ts"

export const make = (
  id: string,
  command: ChildProcess.Command,
  options?: SequentialOptions
): Source<never, ChildProcessSpawner> => ({
  name: id,
  open: Effect.map(ChildProcessSpawner, (spawner) =>
    sequential<never>(id, Stream.mapError(outputOf(spawner, command), sourceError(id)), options)
  )
})

type Output = Stream.Stream<Uint8Array, PlatformError.PlatformError>
type Spawner = ChildProcessSpawner["Service"]

interface Stage {
  readonly command: ChildProcess.StandardCommand
  /** How the command is connected to the one before it. */
  readonly pipe: ChildProcess.PipeOptions
}

/**
 * Spawns the commands of a pipeline one by one, because the spawner returns the
 * exit code of the last one only.
 */
const outputOf = (spawner: Spawner, command: ChildProcess.Command): Output => {
  const [first, ...others] = stagesOf(command)
  const from = (index: number) => others[index]?.pipe.from
  return others.reduce(
    (input, stage, index) => run(spawner, withInput(stage, input), from(index + 1)),
    run(spawner, withoutInput(first.command), from(0))
  )
}

const stagesOf = (command: ChildProcess.Command): readonly [Stage, ...ReadonlyArray<Stage>] => {
  if (command._tag === "StandardCommand") return [{ command, pipe: {} }]
  const [first, ...earlier] = stagesOf(command.left)
  const [next, ...later] = stagesOf(command.right)
  return [first, ...earlier, { ...next, pipe: command.options }, ...later]
}

/** Closes standard input: a command that reads it would wait forever. */
const withoutInput = ({ command, args, options }: ChildProcess.StandardCommand) =>
  ChildProcess.make(command, args, { forceKillAfter, stdin: "ignore", ...options })

const withInput = ({ command, pipe }: Stage, stream: Output) => {
  const { to = "stdin" } = pipe
  const { additionalFds, ...options } = command.options
  const input =
    to === "stdin"
      ? { stdin: { stream }, ...(additionalFds === undefined ? {} : { additionalFds }) }
      : { additionalFds: { ...additionalFds, [to]: { type: "input" as const, stream } } }
  return ChildProcess.make(command.command, command.args, { forceKillAfter, ...options, ...input })
}

/** How long a command may take to end when the upload stops. */
const forceKillAfter = "5 seconds"

/** Runs a command. Its output fails if the command fails. */
const run = (
  spawner: Spawner,
  command: ChildProcess.StandardCommand,
  from: ChildProcess.PipeFromOption = "stdout"
): Output =>
  Stream.unwrap(
    Effect.gen(function* () {
      const name = command.command
      const handle = yield* Effect.mapError(spawner.spawn(command), (error) =>
        failure(`${name} could not be started: ${textOf(error)}`)
      )
      const stderr = from === "stdout" ? handle.stderr : Stream.empty
      const lastWords = yield* Effect.forkScoped(tailOf(stderr))
      const exited = Effect.flatMap(
        Effect.mapError(handle.exitCode, (error) =>
          isFailure(error) ? error : failure(`${name}: ${textOf(error)}`)
        ),
        (code) =>
          code === 0 ? Effect.void : failed(`${name} ended with exit code ${code}`, lastWords)
      )
      return outputFrom(handle, from).pipe(
        Stream.interruptWhen(Effect.andThen(exited, Effect.never)),
        Stream.concat(Stream.fromEffectDrain(exited))
      )
    })
  )

const outputFrom = (handle: ChildProcessHandle, from: ChildProcess.PipeFromOption): Output => {
  if (from === "stdout" || from === "stderr" || from === "all") return handle[from]
  return handle.getOutputFd(ChildProcess.parseFdName(from) ?? 1)
}

const failed = (problem: string, lastWords: Fiber.Fiber<string, unknown>) =>
  Fiber.join(lastWords).pipe(
    // A process that the command left behind may keep the pipe open.
    Effect.timeout("1 second"),
    Effect.orElseSucceed(() => ""),
    Effect.flatMap((text) => Effect.fail(failure(text === "" ? problem : `${problem}: ${text}`)))
  )

/** The end of what a command wrote to standard error. */
const tailOf = (stderr: Output) =>
  Stream.decodeText(stderr).pipe(
    Stream.runFold(
      () => "",
      (tail, text) => `${tail}${text}`.slice(-500)
    ),
    Effect.map((tail) => tail.trim().split("\n").slice(-3).join("; "))
  )

/** The failure of a command, of the type that a pipeline needs. */
const failure = (description: string) =>
  PlatformError.systemError({
    _tag: "Unknown",
    module: "Source",
    method: "command",
    description
  })

const isFailure = ({ reason }: PlatformError.PlatformError) => reason.module === "Source"

/** The message of an error, without the arguments, which may be secret. */
const textOf = ({ reason }: PlatformError.PlatformError): string =>
  reason.cause instanceof Error ? reason.cause.message : (reason.description ?? reason._tag)

const sourceError =
  (id: string) =>
  (error: PlatformError.PlatformError): SourceError =>
    unreadable(id, isFailure(error) ? error.reason.description : textOf(error), advice)

const advice = "see why the command failed: nothing was stored"
