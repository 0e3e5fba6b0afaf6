/**
 * Where checkpoints are kept. A store owns durability and exclusion; what a
 * checkpoint means is `Checkpoint`'s business.
 *
 * Data could be lost here: what `begin` and `append` have acknowledged must
 * still be there after the process is killed, and nobody but the holder of the
 * lease may change it.
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
     * Whether there is anything under this key, usable or not; takes no lease.
     * What goes up with one request is not opened where there is nothing.
     */
    readonly has: (key: string) => Effect.Effect<boolean, CheckpointError>
    /** Every checkpoint, whether held or not; takes no lease. Unusable ones are left out, with a warning. */
    readonly list: Stream.Stream<Checkpoint.Summary, CheckpointError>
    /** The same for one object: the checkpoints of all sources that go there. Its cost doesn't grow with the number of other objects. */
    readonly listObject: (
      object: Checkpoint.ObjectPlace
    ) => Stream.Stream<Checkpoint.Summary, CheckpointError>
    /** Every upload that is over and was never reported: what `finish` left. Not in `list`. */
    readonly listFinished: Stream.Stream<Checkpoint.Finished, CheckpointError>
  }
>()("@effect-oss/core/CheckpointStore") {}

/**
 * What a store has to do itself; `make` adds the rest.
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
 * What a store has to do itself for a checkpoint that is held.
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
 * A store. Nothing it keeps is handed out under another name than its header's:
 * a checkpoint that was put in another's place is `Damaged` to `open`, and left
 * out of lists with a warning.
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
    reason: new Damaged({ description: "it is another upload's, under a wrong name" })
  })

const isOwn = ({ checkpointKey, header }: Checkpoint.Summary) =>
  Checkpoint.keyOf(header) === checkpointKey
    ? Effect.succeed(true)
    : Effect.as(Effect.logWarning(misplaced(checkpointKey).message), false)

const isFor = (object: Checkpoint.ObjectPlace) => {
  const name = Checkpoint.objectOf(object)
  return ({ header }: Checkpoint.Summary) => Checkpoint.objectOf(header) === name
}

/** While another holder has it, the lists tell. */
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
 * How a checkpoint is opened.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenOptions {
  /** What can't be read, with reason `Damaged` or `UnknownVersion`: `fail`, or take it as absent, to be replaced by `begin` and removed by `remove`. Default: `fail`. */
  readonly onUnreadable?: "fail" | "discard" | undefined
}

/**
 * One checkpoint, held. Its methods may be called from several fibers at once.
 *
 * @category models
 * @since 0.1.0
 */
export interface CheckpointLog {
  /** What was there when it was opened. */
  readonly recovered: Option.Option<Checkpoint.Checkpoint>
  /** What was there instead, if an earlier run completed the object and ended before it could say so. */
  readonly finished: Option.Option<Checkpoint.Finished>
  /** Why what was there is taken as absent, if it is. */
  readonly discarded?: CheckpointError | undefined
  /** Replaces whatever was there by a header without parts; durable when it returns. */
  readonly begin: (header: Checkpoint.Header) => Effect.Effect<void, CheckpointError>
  /** Adds a part, whatever the number of parts at the same cost; durable when it returns. Call `begin` first, or have recovered: without, it is a defect. */
  readonly append: (part: UploadedPart) => Effect.Effect<void, CheckpointError>
  /**
   * Puts a receipt in place of the header's parts; durable when it returns. Call
   * it once the object is complete, report that, and then call `remove`. It
   * stays for the next `open` if the process dies in between.
   */
  readonly finish: (receipt: Checkpoint.Receipt) => Effect.Effect<void, CheckpointError>
  /** Forgets the checkpoint, or its receipt; durable when it returns. Removing what is not there is success. */
  readonly remove: Effect.Effect<void, CheckpointError>
}

/**
 * Checkpoints in memory: uploads resume within the process, and are forgotten
 * with it.
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
