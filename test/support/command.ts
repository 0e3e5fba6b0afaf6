import { Effect, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { fileURLToPath } from "node:url"

/** The workspace. */
export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "")

export interface Where {
  readonly cwd?: string
  /** Besides this process's own variables. */
  readonly env?: Readonly<Record<string, string>>
}

const spawn = (command: string, args: ReadonlyArray<string>, { cwd = root, env = {} }: Where) =>
  ChildProcessSpawner.ChildProcessSpawner.use((spawner) =>
    spawner.spawn(ChildProcess.make(command, [...args], { cwd, env: { ...env }, extendEnv: true }))
  )

const textOf = <E>(bytes: Stream.Stream<Uint8Array, E>) =>
  bytes.pipe(Stream.decodeText(), Stream.mkString)

/** Runs a command to its end. */
export const run = Effect.fnUntraced(function* (
  command: string,
  args: ReadonlyArray<string>,
  where: Where = {}
) {
  const child = yield* spawn(command, args, where)
  const [out, error, code] = yield* Effect.all(
    [textOf(child.stdout), textOf(child.stderr), child.exitCode],
    { concurrency: "unbounded" }
  )
  return { code: Number(code), out, error }
}, Effect.scoped)

/** Runs a command that must succeed, and yields what it wrote to standard output. */
export const succeed = Effect.fnUntraced(function* (
  command: string,
  args: ReadonlyArray<string>,
  where: Where = {}
) {
  const { code, out, error } = yield* run(command, args, where)
  if (code === 0) return out
  return yield* Effect.die(
    new Error(`${command} ${args.join(" ")} ended with ${code}:\n${out}\n${error}`)
  )
})

/** Starts a command that goes on until the scope closes, and yields its first line. */
export const firstLine = Effect.fnUntraced(function* (
  command: string,
  args: ReadonlyArray<string>,
  where: Where = {}
) {
  const child = yield* spawn(command, args, where)
  return yield* child.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runHead,
    Effect.flatMap(Effect.fromOption)
  )
})
