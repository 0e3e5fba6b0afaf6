/** A directory to keep checkpoints in, and a file system that fails, dies or waits where a test wants it to. */
import { NodeServices } from "@effect/platform-node"
import { Deferred, Duration, Effect, FileSystem, Layer, PlatformError } from "effect"
import { FsCheckpointStore } from "@effect-oss/node-fs-store"
import { System } from "../../src/internal/process.ts"

/** A new directory, removed with the scope. */
export const temporaryDirectory = FileSystem.FileSystem.use((fs) =>
  fs.makeTempDirectoryScoped({ prefix: "fs-store-" })
).pipe(Effect.orDie)

/** A store over the real file system. */
export const layerIn = (directory: string) =>
  Layer.provide(FsCheckpointStore.layer({ directory }), NodeServices.layer)

/** A store in a new directory. */
export const layerAnywhere = Layer.unwrap(Effect.map(temporaryDirectory, layerIn)).pipe(
  Layer.provide(NodeServices.layer)
)

/** The paths of the files of a store, within its directory. */
export const files = (directory: string) =>
  FileSystem.FileSystem.use((fs) => fs.readDirectory(directory, { recursive: true })).pipe(
    Effect.map((paths) => paths.filter((path) => !/^[0-9a-f]{2}$/.test(path)))
  )

/** Writes a file to where a store looks for it. */
export const plant = Effect.fnUntraced(function* (directory: string, name: string, text: string) {
  const path = yield* placeFor(directory, name)
  yield* FileSystem.FileSystem.use((fs) => fs.writeFileString(path, text, { mode: 0o600 }))
  return path
})

/** Where a store looks for a file with this name; its directory is there. */
export const placeFor = Effect.fnUntraced(function* (directory: string, name: string) {
  const fs = yield* FileSystem.FileSystem
  const below = `${directory}/${name.slice(0, 2)}`
  yield* fs.makeDirectory(below, { recursive: true, mode: 0o700 })
  return `${below}/${name}`
})

/** The path of the only file in a directory whose name ends so. */
export const only = (directory: string, suffix: string) =>
  Effect.map(files(directory), (names) => {
    const found = names.filter((name) => name.endsWith(suffix))
    if (found.length !== 1) throw new Error(`${found.length} files *${suffix} among ${names}`)
    return `${directory}/${found[0]}`
  })

/** One change of the file system that is about to be made. */
export interface Step {
  readonly call: string
  readonly path: string
}

/** What is done before each change, and before a lease or a journal is read. */
export type Hook = (step: Step) => Effect.Effect<void, PlatformError.PlatformError>

/** Makes a process wait right before a change. */
export const gate = (before: (step: Step) => boolean) => {
  const reached = Deferred.makeUnsafe<void>()
  const opened = Deferred.makeUnsafe<void>()
  const hook: Hook = (step) =>
    before(step)
      ? Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(opened))
      : Effect.void
  return { hook, reached: Deferred.await(reached), open: Deferred.succeed(opened, undefined) }
}

/** How the operating system describes the process. */
export interface Appearance {
  /** Of the machine's boot: another one makes the store believe that it is on another host, or that the host was booted again. */
  readonly boot?: string
  /** Of process ids: another one makes the store believe that it is in a container. */
  readonly container?: string
  /** Of the installation: another one makes the store believe that it is on another machine. */
  readonly machine?: string
  /** The user that it runs as. */
  readonly user?: number
  /** How long a silent holder is watched. Default: not at all. */
  readonly watch?: Duration.Input
  /** Of the directory's file system, by its magic number. */
  readonly fileSystem?: number
  /** Of the process itself: another one makes others believe that the process is dead. */
  readonly started?: string
}

const appear = (appearance: Appearance, path: string, text: string) => {
  if (path.endsWith("/boot_id") && appearance.boot !== undefined) return appearance.boot
  if (path === "/etc/machine-id" && appearance.machine !== undefined) return appearance.machine
  if (path !== `/proc/${process.pid}/stat` || appearance.started === undefined) return text
  const fields = text.split(" ")
  fields[21] = appearance.started
  return fields.join(" ")
}

/** A write is two steps, so that it can be cut in the middle. */
const hooked = (file: FileSystem.File, path: string, hook: Hook): FileSystem.File =>
  new Proxy(file, {
    get: (target, property) => {
      if (property === "sync") return Effect.andThen(hook({ call: "sync", path }), target.sync)
      if (property !== "writeAll") return Reflect.get(target, property, target)
      return (bytes: Uint8Array) => {
        const half = Math.floor(bytes.length / 2)
        return Effect.forEach(
          [bytes.subarray(0, half), bytes.subarray(half)],
          (piece) => Effect.andThen(hook({ call: "write", path }), target.writeAll(piece)),
          { discard: true }
        )
      }
    }
  })

const after =
  (hook: Hook) =>
  <Rest extends ReadonlyArray<unknown>, A, R>(
    call: string,
    run: (path: string, ...rest: Rest) => Effect.Effect<A, PlatformError.PlatformError, R>
  ) =>
  (path: string, ...rest: Rest) =>
    Effect.andThen(hook({ call, path }), run(path, ...rest))

/** A store whose every change and reading passes a hook. */
export const layerHooked = (directory: string, hook: Hook, appearance: Appearance = {}) => {
  const before = after(hook)
  const layerFileSystem = Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => {
      const open: FileSystem.FileSystem["open"] = (path, options) =>
        Effect.map(fs.open(path, options), (file) => hooked(file, path, hook))
      return FileSystem.FileSystem.of({
        ...fs,
        link: before("link", fs.link),
        rename: before("rename", fs.rename),
        remove: before("remove", fs.remove),
        utimes: before("utimes", fs.utimes),
        makeDirectory: before("makeDirectory", fs.makeDirectory),
        writeFileString: before("writeFileString", fs.writeFileString),
        readLink: (path) =>
          path === "/proc/self/ns/pid" && appearance.container !== undefined
            ? Effect.succeed(appearance.container)
            : fs.readLink(path),
        readFileString: (path, encoding) =>
          fs.readFileString(path, encoding).pipe(
            // Not every machine has an id.
            Effect.catchIf(
              () => path === "/etc/machine-id",
              () => Effect.succeed("")
            ),
            Effect.map((text) => appear(appearance, path, text))
          ),
        open: (path, options) =>
          options?.flag === undefined ? open(path) : before("open", open)(path, options)
      })
    })
  )
  const layerSystem = Layer.effect(
    System,
    Effect.map(System, (system) => ({
      ...system,
      user: appearance.user ?? system.user,
      watch: Duration.fromInputUnsafe(appearance.watch ?? 0),
      again: Duration.zero,
      read: (path, limit) => Effect.andThen(hook({ call: "read", path }), system.read(path, limit)),
      readSync: undefined,
      fileSystem: (path) =>
        appearance.fileSystem === undefined
          ? system.fileSystem(path)
          : Effect.succeed(appearance.fileSystem)
    }))
  )
  return FsCheckpointStore.layer({ directory }).pipe(
    Layer.provide(layerFileSystem),
    Layer.provide(NodeServices.layer),
    Layer.merge(layerSystem)
  )
}

/** What a full disk answers. */
export const diskFull = PlatformError.systemError({
  _tag: "Unknown",
  module: "FileSystem",
  method: "writeAll",
  cause: Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" })
})

/** Processes that others take for dead as soon as they have stopped. */
export const mortal = { started: "1" }
export const nextMortal = { started: "2" }

/** Breaks the change with the given number, or that and all after it. */
export const breaking = (
  at: number,
  onlyOnce: boolean,
  how: Effect.Effect<never, PlatformError.PlatformError>,
  /** Whether a reading breaks, too. */
  reads = false
) => {
  const hook = {
    changes: 0,
    before: ({ call }: Step) =>
      Effect.suspend(() => {
        if (call === "read" && !reads) return Effect.void
        hook.changes++
        const breaks = onlyOnce ? hook.changes === at : hook.changes >= at
        return breaks ? how : Effect.void
      })
  }
  return hook
}

export const crash = Effect.die("the process is dead")
