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
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Checkpoint from "./Checkpoint.ts"
import type { UploadedPart } from "./Part.ts"

/**
 * Another upload holds the checkpoint.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Busy extends Schema.TaggedError<Busy>()("Busy", {
  /** Who, for instance `process 4711 on host web-1`. */
  holder: Schema.String
}) {}

/**
 * The lease went to another holder while this one was suspended or cut off.
 *
 * @category reasons
 * @since 0.1.0
 */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {}) {}

/**
 * The checkpoint is not one, or was damaged.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Damaged extends Schema.TaggedError<Damaged>()("Damaged", {
  description: Schema.String
}) {}

/**
 * The checkpoint was written by a newer version of this library.
 *
 * @category reasons
 * @since 0.1.0
 */
export class UnknownVersion extends Schema.TaggedError<UnknownVersion>()("UnknownVersion", {
  version: Schema.String
}) {}

/**
 * The store can't be read or written: no permission, no space, no connection.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  description: Schema.String
}) {}

/**
 * The checkpoint can't be used.
 *
 * @category errors
 * @since 0.1.0
 */
export class CheckpointError extends Schema.TaggedError<CheckpointError>(
  "@effect-oss/core/CheckpointError"
)("CheckpointError", {
  /** Where the checkpoint is, such as a file's path. */
  location: Schema.String,
  reason: Schema.Union([Busy, LeaseLost, Damaged, UnknownVersion, Unavailable])
}) {
  /** What happened, and to which checkpoint. */
  get problem(): string {
    switch (this.reason._tag) {
      case "Busy":
        return `${this.location}: in use by ${this.reason.holder}`
      case "LeaseLost":
        return `${this.location}: another upload has taken this checkpoint over`
      case "Damaged":
        return `${this.location}: not a usable checkpoint: ${this.reason.description}`
      case "UnknownVersion":
        return `${this.location}: written in format ${this.reason.version}, which this version does not know`
      case "Unavailable":
        return `${this.location}: cannot be used: ${this.reason.description}`
    }
  }

  /** What to do about it. */
  get remedy(): string {
    switch (this.reason._tag) {
      case "Busy":
        return "wait until that upload has ended, or end it"
      case "LeaseLost":
        return "see that no other upload of the same source to the same object runs, then upload again to carry on"
      case "Damaged":
        return 'move it away or delete it, or give onDamagedCheckpoint: "restart", to start afresh'
      case "UnknownVersion":
        return "use a newer version, or move it away or delete it to start afresh"
      case "Unavailable":
        return "see that it is there, may be written to and has space left, then upload again to carry on"
    }
  }

  override get message(): string {
    return `${this.problem}; ${this.remedy}`
  }
}

/**
 * Whether the checkpoint is there but can't be read, now or later.
 *
 * @category deciding
 * @since 0.1.0
 */
export const isUnreadable = ({ reason }: CheckpointError): boolean =>
  reason._tag === "Damaged" || reason._tag === "UnknownVersion"

/**
 * Keeps checkpoints.
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
     * What goes up with one request is not opened where there is nothing. A
     * store may leave it out if it can't tell for less than `open` takes.
     */
    readonly has?: (key: string) => Effect.Effect<boolean, CheckpointError>
    /** Every checkpoint, whether held or not; takes no lease. Unusable ones are left out. */
    readonly list: Stream.Stream<Checkpoint.Summary, CheckpointError>
  }
>()("@effect-oss/core/CheckpointStore") {}

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
  /** Why what was there is taken as absent, if it is. */
  readonly discarded?: CheckpointError | undefined
  /** Replaces whatever was there by a header without parts; durable when it returns. */
  readonly begin: (header: Checkpoint.Header) => Effect.Effect<void, CheckpointError>
  /** Adds a part, whatever the number of parts at the same cost; durable when it returns. Call `begin` first, or have recovered. */
  readonly append: (part: UploadedPart) => Effect.Effect<void, CheckpointError>
  /** Forgets the checkpoint; durable when it returns. Removing what is not there is success. */
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
  const checkpoints = new Map<string, { header: Checkpoint.Header; records: Array<UploadedPart> }>()
  const held = new Set<string>()
  const read = (key: string) =>
    Option.map(Option.fromUndefinedOr(checkpoints.get(key)), ({ header, records }) =>
      Checkpoint.make(header, records)
    )

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

  return CheckpointStore.of({
    open: (key) =>
      Effect.map(
        Effect.acquireRelease(acquire(key), () => Effect.sync(() => held.delete(key))),
        (): CheckpointLog => ({
          recovered: read(key),
          begin: (header) => Effect.sync(() => checkpoints.set(key, { header, records: [] })),
          append: (part) =>
            Effect.suspend(() => {
              const checkpoint = checkpoints.get(key)
              if (checkpoint === undefined)
                return Effect.die(new Error("append without a checkpoint"))
              checkpoint.records.push(part)
              return Effect.void
            }),
          remove: Effect.sync(() => checkpoints.delete(key))
        })
      ),
    has: (key) => Effect.sync(() => checkpoints.has(key)),
    list: Stream.suspend(() =>
      Stream.fromIterable(
        Array.from(checkpoints, ([key, { header, records }]) =>
          Checkpoint.summarize(key, Checkpoint.make(header, records))
        )
      )
    )
  })
})
