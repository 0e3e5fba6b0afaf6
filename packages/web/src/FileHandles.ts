/**
 * Finds the file of an upload again at the next visit. If the browser has file
 * handles, `FileHandles` keeps them beside the checkpoint, and the user carries
 * on with one click. In other browsers the user chooses the file again, and
 * `check` refuses a wrong one.
 *
 * @since 0.1.0
 */
import type * as Checkpoint from "@effect-oss/core/Checkpoint"
import type { CheckpointError } from "@effect-oss/core/CheckpointStore"
import { CheckpointStore } from "@effect-oss/core/CheckpointStore"
import * as Slice from "@effect-oss/core/internal/source/slice"
import * as Source from "@effect-oss/core/Source"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Options } from "./IndexedDbCheckpointStore.ts"
import * as Database from "./internal/database.ts"

/**
 * Keeps handles of files by the key of their checkpoint. The store removes a
 * handle together with its checkpoint.
 *
 * @category services
 * @since 0.1.0
 */
export class FileHandles extends Context.Service<
  FileHandles,
  {
    /** Keeps a handle under `Checkpoint.keyOf` of the upload. */
    readonly keep: (
      checkpointKey: string,
      handle: FileSystemFileHandle
    ) => Effect.Effect<void, CheckpointError>
    /** The checkpoint keys of all handles. */
    readonly keys: Effect.Effect<ReadonlyArray<string>, CheckpointError>
    /**
     * The file, as it is now. Call it right after a click or a key: only then
     * can the browser ask the user for permission. None if there is no handle,
     * the user refuses, or the file no longer exists.
     */
    readonly find: (checkpointKey: string) => Effect.Effect<Option.Option<File>, CheckpointError>
    /** Removes a handle. Succeeds if there is none. */
    readonly forget: (checkpointKey: string) => Effect.Effect<void, CheckpointError>
  }
>()("@effect-oss/web/FileHandles") {}

/**
 * Keeps handles in the database of `IndexedDbCheckpointStore.layer`. Give both
 * layers the same options.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = ({ database: name = "effect-oss" }: Options = {}): Layer.Layer<FileHandles> =>
  Layer.effect(
    FileHandles,
    Effect.map(Database.make(name), (database) => {
      const location = `IndexedDB ${name}, file handles`
      return FileHandles.of({
        keep: (checkpointKey, handle) =>
          Database.write(database, location, ({ store, done }) => {
            store(Database.handles).put({ checkpointKey, handle })
            done(undefined)
          }),
        keys: Database.read(database, location, ({ store, done }) =>
          Database.on(store(Database.handles).getAllKeys(), (keys) => done(keys.map(String)))
        ),
        find: Effect.fn("FileHandles.find")((checkpointKey) =>
          Effect.flatMap(handleOf(database, location, checkpointKey), (handle) =>
            handle === undefined ? Effect.succeedNone : fileOf(handle)
          )
        ),
        forget: (checkpointKey) =>
          Database.write(database, location, ({ store, done }) => {
            store(Database.handles).delete(checkpointKey)
            done(undefined)
          })
      })
    })
  )

/** TypeScript's DOM library lacks these members, which only Chromium has. */
interface Handle extends FileSystemFileHandle {
  readonly requestPermission?: (of: { readonly mode: "read" }) => Promise<PermissionState>
}

const handleOf = (database: Database.Database, location: string, checkpointKey: string) =>
  Database.read<Handle | undefined>(database, location, ({ store, done }) =>
    Database.on<{ readonly handle: Handle } | undefined>(
      store(Database.handles).get(checkpointKey),
      (found) => done(found?.handle)
    )
  )

const fileOf = (handle: Handle): Effect.Effect<Option.Option<File>> =>
  Effect.option(
    Effect.tryPromise(
      () => handle.requestPermission?.({ mode: "read" }) ?? Promise.resolve("granted")
    ).pipe(
      Effect.filterOrFail((state) => state === "granted"),
      Effect.andThen(Effect.tryPromise(() => handle.getFile()))
    )
  )

/**
 * The chosen file is not the file of the upload to resume.
 *
 * @category errors
 * @since 0.1.0
 */
export class WrongFile extends Schema.TaggedError<WrongFile>("@effect-oss/web/WrongFile")(
  "WrongFile",
  {
    /** The name of the chosen file. */
    name: Schema.String,
    /** How it differs, as a sentence without its subject. */
    problem: Schema.String,
    /** The name of the expected file. */
    expected: Schema.String
  }
) {
  override get message(): string {
    return `${this.name} is not the file that was being uploaded: ${this.problem}; choose ${this.expected}, or give the upload up`
  }
}

/**
 * Checks that `file` is the file that the checkpoint was begun with: by name,
 * by size, and by the CRC64 of some sent parts. Fails with `Busy` while that
 * upload runs.
 *
 * @category checking
 * @since 0.1.0
 */
export const check: (
  checkpointKey: string,
  file: File,
  name?: string
) => Effect.Effect<void, WrongFile | CheckpointError | Source.SourceError, CheckpointStore> =
  Effect.fn("FileHandles.check")(function* (checkpointKey, file, name = file.name) {
    const { open } = yield* CheckpointStore
    const { recovered } = yield* open(checkpointKey)
    if (Option.isNone(recovered)) return
    const { header, parts } = recovered.value
    const expected = nameOf(header)
    const refuse = (problem: string) => new WrongFile({ name, problem, expected })
    if (name !== expected) return yield* refuse("its name is another")
    if (file.size !== header.size) {
      return yield* refuse(`it has ${file.size} bytes, and the other has ${header.size}`)
    }
    const source = yield* Source.blob(file, name).open
    for (const index of new Set([0, parts.length >> 1, parts.length - 1])) {
      const part = parts[index]
      if (part === undefined) continue
      const crc64 = yield* Slice.crc64(source, part.offset, part.size)
      if (crc64 !== part.crc64) return yield* refuse("its content is another")
    }
  }, Effect.scoped)

/**
 * The name of the file that a checkpoint was begun with.
 *
 * @category checking
 * @since 0.1.0
 */
export const nameOf = ({ sourceId }: Pick<Checkpoint.Header, "sourceId">): string =>
  sourceId.replace(/^blob:/, "")
