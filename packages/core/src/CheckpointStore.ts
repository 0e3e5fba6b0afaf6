/**
 * Keeps checkpoints. A store makes them durable and lets only one upload hold
 * each of them. `Checkpoint` defines the contents of a checkpoint.
 *
 * A mistake in a store can lose data. Once `begin` or `append` has returned, its
 * record must survive the death of the process, and only the holder of the lease
 * may change the checkpoint.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Checkpoint from "./Checkpoint.ts"
import { Busy, CheckpointError, Damaged } from "./CheckpointError.ts"
import type { UploadedPart } from "./Part.ts"

export * from "./CheckpointError.ts"

/**
 * Keeps checkpoints. Build a store of your own with `make`.
 *
 * @category services
 * @since 0.1.0
 */
export class CheckpointStore extends Context.Service<
  CheckpointStore,
  {
    /**
     * Takes the lease on one checkpoint until the scope closes, and reads it.
     * Fails with reason `Busy` if another holder is alive. Nothing is created
     * that outlives the scope until `begin` is called.
     */
    readonly open: (
      key: string,
      options?: OpenOptions
    ) => Effect.Effect<CheckpointLog, CheckpointError, Scope.Scope>
    /**
     * True if the store has anything under this key, usable or not. Takes no lease.
     * An upload that needs one request opens a checkpoint only if there is one.
     */
    readonly has: (key: string) => Effect.Effect<boolean, CheckpointError>
    /** Every checkpoint, held or not. Takes no lease. Skips unusable ones with a warning. */
    readonly list: Stream.Stream<Checkpoint.Summary, CheckpointError>
    /**
     * The checkpoints of one object, of all its sources. The cost doesn't grow with
     * the number of other objects.
     */
    readonly listObject: (
      object: Checkpoint.ObjectPlace
    ) => Stream.Stream<Checkpoint.Summary, CheckpointError>
    /**
     * The receipts that `finish` wrote and `remove` didn't remove: the process died
     * before it reported the complete upload. Not in `list`.
     */
    readonly listFinished: Stream.Stream<Checkpoint.Finished, CheckpointError>
  }
>()("@effect-oss/core/CheckpointStore") {}

/**
 * The methods that your store implements. `make` adds the rest.
 *
 * @category models
 * @since 0.1.0
 */
export interface Backing {
  /** As in `CheckpointStore`. */
  readonly open: (
    key: string,
    options?: OpenOptions
  ) => Effect.Effect<BackingLog, CheckpointError, Scope.Scope>
  /** As in `CheckpointStore`. */
  readonly list: Stream.Stream<Checkpoint.Summary, CheckpointError>
  /** As in `CheckpointStore`. Default: opens the checkpoint. */
  readonly has?: ((key: string) => Effect.Effect<boolean, CheckpointError>) | undefined
  /** As in `CheckpointStore`. Default: filters `list`. */
  readonly listObject?:
    | ((object: Checkpoint.ObjectPlace) => Stream.Stream<Checkpoint.Summary, CheckpointError>)
    | undefined
  /** As in `CheckpointStore`. Default: nothing. */
  readonly listFinished?: Stream.Stream<Checkpoint.Finished, CheckpointError> | undefined
}

/**
 * The methods that your store implements for a checkpoint that it holds.
 *
 * @category models
 * @since 0.1.0
 */
export interface BackingLog extends Pick<
  CheckpointLog,
  "recovered" | "discarded" | "begin" | "append" | "remove"
> {
  /** As in `CheckpointLog`. Default: none. */
  readonly finished?: CheckpointLog["finished"] | undefined
  /** As in `CheckpointLog`. Default: `remove`. */
  readonly finish?: CheckpointLog["finish"] | undefined
}

/**
 * Makes a store. It checks that each checkpoint is stored under the key that its
 * header names. For any other checkpoint, `open` fails with reason `Damaged`, and
 * `list` and `listObject` skip it with a warning.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (backing: Backing): CheckpointStore["Service"] => {
  const open: CheckpointStore["Service"]["open"] = (key, options) =>
    Effect.map(Effect.tap(backing.open(key, options), own(key)), complete)
  const list = Stream.filterEffect(backing.list, isOwn)
  const listFinished = backing.listFinished ?? Stream.empty
  return {
    open,
    has: backing.has ?? hasBy({ open, list, listFinished }),
    list,
    listObject: (object) =>
      backing.listObject === undefined
        ? Stream.filter(list, isFor(object))
        : Stream.filterEffect(Stream.filter(backing.listObject(object), isFor(object)), isOwn),
    listFinished
  }
}

const complete = (log: BackingLog): CheckpointLog => ({
  ...log,
  finished: log.finished ?? Option.none(),
  finish: log.finish ?? (() => log.remove)
})

const own =
  (key: string) =>
  ({ recovered, finished = Option.none() }: BackingLog): Effect.Effect<void, CheckpointError> => {
    const found = Option.orElse(recovered, () => finished)
    return Option.isNone(found) || Checkpoint.keyOf(found.value.header) === key
      ? Effect.void
      : misplaced(key)
  }

const misplaced = (location: string) =>
  new CheckpointError({
    location,
    reason: new Damaged({ description: "it belongs to another upload" })
  })

const isOwn = ({ checkpointKey, header }: Checkpoint.Summary) =>
  Checkpoint.keyOf(header) === checkpointKey
    ? Effect.succeed(true)
    : Effect.as(Effect.logWarning(misplaced(checkpointKey).message), false)

const isFor = (object: Checkpoint.ObjectPlace) => {
  const name = Checkpoint.objectOf(object)
  return ({ header }: Checkpoint.Summary) => Checkpoint.objectOf(header) === name
}

/** Opens the checkpoint. If it is `Busy`, searches the lists. */
const hasBy =
  ({
    open,
    list,
    listFinished
  }: Pick<CheckpointStore["Service"], "open" | "list" | "listFinished">) =>
  (key: string): Effect.Effect<boolean, CheckpointError> =>
    open(key).pipe(
      Effect.map(({ recovered, finished }) => Option.isSome(recovered) || Option.isSome(finished)),
      Effect.scoped,
      Effect.catchIf(
        ({ isUnreadable }) => isUnreadable,
        () => Effect.succeed(true)
      ),
      Effect.catchIf(
        (error) => error.reason._tag === "Busy",
        () =>
          Stream.concat(
            Stream.map(list, ({ checkpointKey }) => checkpointKey),
            Stream.map(listFinished, ({ header }) => Checkpoint.keyOf(header))
          ).pipe(
            Stream.runFold(
              () => false,
              (found, listed) => found || listed === key
            )
          )
      )
    )

/**
 * The options of `open`.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenOptions {
  /**
   * What to do with a checkpoint that is `Damaged` or of an `UnknownVersion`. `fail`
   * fails. `discard` treats it as absent, so `begin` replaces it and `remove` removes
   * it. Default: `fail`.
   */
  readonly onUnreadable?: "fail" | "discard" | undefined
}

/**
 * A checkpoint that you hold. You can call its methods from several fibers at once.
 *
 * @category models
 * @since 0.1.0
 */
export interface CheckpointLog {
  /** The checkpoint that an earlier run left. */
  readonly recovered: Option.Option<Checkpoint.Checkpoint>
  /**
   * The receipt that an earlier run left, if it completed the object but ended
   * before it reported that.
   */
  readonly finished: Option.Option<Checkpoint.Finished>
  /** Why `discard` treats the checkpoint of an earlier run as absent, if it does. */
  readonly discarded?: CheckpointError | undefined
  /** Replaces any earlier checkpoint with a header without parts. Durable when it returns. */
  readonly begin: (header: Checkpoint.Header) => Effect.Effect<void, CheckpointError>
  /**
   * Adds a part, at a cost that doesn't grow with the number of parts. Durable when
   * it returns. Dies with a defect if there is no checkpoint: call `begin` first,
   * unless one was recovered.
   */
  readonly append: (part: UploadedPart) => Effect.Effect<void, CheckpointError>
  /**
   * Replaces the parts with a receipt. Durable when it returns. Call it when the
   * object is complete, report that, and then call `remove`. If the process dies in
   * between, the next `open` finds the receipt.
   */
  readonly finish: (receipt: Checkpoint.Receipt) => Effect.Effect<void, CheckpointError>
  /** Removes the checkpoint, or its receipt. Durable when it returns. Succeeds if there is none. */
  readonly remove: Effect.Effect<void, CheckpointError>
}

/**
 * Keeps checkpoints in memory. You can resume uploads until the process ends.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<CheckpointStore> = Layer.sync(CheckpointStore, () => {
  const entries = new Map<string, Entry>()
  const held = new Set<string>()

  const acquire = (key: string) =>
    Effect.suspend(() => {
      if (held.has(key)) {
        return new CheckpointError({
          location: `memory:${key}`,
          reason: new Busy({ holder: "another upload of this process" })
        })
      }
      held.add(key)
      return Effect.void
    })

  return make({
    open: (key) =>
      Effect.map(
        Effect.acquireRelease(acquire(key), () => Effect.sync(() => held.delete(key))),
        () => memoryLog(entries, key)
      ),
    has: (key) => Effect.sync(() => entries.has(key)),
    list: Stream.suspend(() =>
      Stream.fromIterable(
        Array.from(entries).flatMap(([key, entry]) =>
          Option.toArray(pendingIn(entry)).map((found) => Checkpoint.summarize(key, found))
        )
      )
    ),
    listFinished: Stream.suspend(() =>
      Stream.fromIterable(
        Array.from(entries.values()).flatMap((entry) => Option.toArray(finishedIn(entry)))
      )
    )
  })
})

interface Entry {
  readonly header: Checkpoint.Header
  readonly records: Array<UploadedPart>
  receipt?: Checkpoint.Receipt
}

const pendingIn = ({ header, records, receipt }: Entry) =>
  receipt === undefined ? Option.some(Checkpoint.make(header, records)) : Option.none()

const finishedIn = ({ header, receipt }: Entry): Option.Option<Checkpoint.Finished> =>
  receipt === undefined ? Option.none() : Option.some({ header, receipt })

const memoryLog = (entries: Map<string, Entry>, key: string): BackingLog => {
  const entry = Option.fromUndefinedOr(entries.get(key))
  const change = (act: (entry: Entry) => void) =>
    Effect.suspend(() => {
      const entry = entries.get(key)
      return entry === undefined || entry.receipt !== undefined
        ? Effect.die(new Error("append or finish without a checkpoint"))
        : Effect.sync(() => act(entry))
    })
  return {
    recovered: Option.flatMap(entry, pendingIn),
    finished: Option.flatMap(entry, finishedIn),
    begin: (header) => Effect.sync(() => void entries.set(key, { header, records: [] })),
    append: (part) => change(({ records }) => void records.push(part)),
    finish: (receipt) => change((entry) => void (entry.receipt = receipt)),
    remove: Effect.sync(() => void entries.delete(key))
  }
}
