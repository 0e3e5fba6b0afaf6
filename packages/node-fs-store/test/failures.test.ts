/** A store on a disk that fails, in a process that dies: before each change, once or for good. */
import { assert, describe, it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { Effect, Logger, Option, Result } from "effect"
import { CheckpointStore } from "@effect-oss/core"
import type { Checkpoint } from "@effect-oss/core"
import {
  header,
  part,
  parts,
  receipt,
  recover,
  withLog
} from "../../core/test/support/CheckpointStoreContract.ts"
import {
  breaking,
  crash,
  diskFull,
  files,
  layerHooked,
  layerIn,
  mortal,
  nextMortal,
  temporaryDirectory
} from "./support/support.ts"

const record = (count: number) =>
  withLog("key", (log) =>
    Effect.andThen(log.begin(header()), Effect.forEach(parts(count), log.append))
  )

type Found = Option.Option<Checkpoint.Checkpoint>

/** A step, and what a later run finds once it is done. */
type Story = (
  log: CheckpointStore.CheckpointLog
) => ReadonlyArray<
  readonly [step: Effect.Effect<void, CheckpointStore.CheckpointError>, then: Found]
>

const found = (createdAt: number, count: number): Found =>
  Option.some({ header: header(createdAt), parts: parts(count) })

const whole: Story = (log) => [
  [log.begin(header(1)), found(1, 0)],
  [log.append(part(1)), found(1, 1)],
  [log.append(part(2)), found(1, 2)],
  [log.begin(header(2)), found(2, 0)],
  [log.append(part(1)), found(2, 1)],
  [log.remove, Option.none()],
  [log.begin(header(3)), found(3, 0)],
  [log.append(part(1)), found(3, 1)],
  [log.finish(receipt()), Option.none()]
]

const resumed: Story = (log) => [
  [log.append(part(3)), found(1, 3)],
  [log.append(part(4)), found(1, 4)],
  [log.remove, Option.none()]
]

/** Another process, after the one that died. */
const later = <A, E>(
  directory: string,
  effect: Effect.Effect<A, E, CheckpointStore.CheckpointStore>
) => Effect.provide(effect, layerIn(directory))

/** A process that records two parts and dies with its lease in hand. */
const recordAndDie = (directory: string) => {
  const dying = layerHooked(
    directory,
    ({ call, path }) => (call === "link" && path.endsWith(".lease") ? crash : Effect.void),
    mortal
  )
  return Effect.exit(Effect.provide(record(2), dying))
}

/** Lives through a story until the change with the given number, and tells whether there was one. */
const dieAt = Effect.fnUntraced(function* (at: number, before: Found, story: Story) {
  const directory = yield* temporaryDirectory
  if (Option.isSome(before)) yield* recordAndDie(directory)
  const hook = breaking(at, false, crash)
  let possible = [before]
  yield* withLog("key", (log) =>
    Effect.forEach(story(log), ([step, then]) => {
      possible = [...possible.slice(-1), then]
      return Effect.andThen(
        step,
        Effect.sync(() => (possible = [then]))
      )
    })
  ).pipe(Effect.provide(layerHooked(directory, hook.before, nextMortal)), Effect.exit)

  const recovered = yield* later(directory, recover("key"))
  assert.deepInclude(possible, recovered, `died before change ${at}`)
  yield* later(
    directory,
    withLog("key", (log) => log.remove)
  )
  assert.deepStrictEqual(yield* files(directory), [], `died before change ${at}`)
  return hook.changes >= at
}, Effect.scoped)

describe("a store of files, on a disk that fails", () => {
  it.effect("has what was acknowledged, before whichever change the process died", () =>
    Effect.gen(function* () {
      let at = 1
      while (yield* dieAt(at, Option.none(), whole)) at++
      assert.isAbove(at, 40)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("has what was acknowledged, before whichever change the next process died", () =>
    Effect.gen(function* () {
      let at = 1
      while (yield* dieAt(at, found(1, 2), resumed)) at++
      assert.isAbove(at, 20)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  /** Records five parts, whatever fails, and compares what was acknowledged with what is found. */
  const fullAt = Effect.fnUntraced(function* (at: number, onlyOnce: boolean) {
    const directory = yield* temporaryDirectory
    const hook = breaking(at, onlyOnce, Effect.fail(diskFull), onlyOnce)
    const results = yield* withLog("key", (log) =>
      Effect.andThen(
        log.begin(header()),
        Effect.forEach(parts(5), (part) => Effect.result(log.append(part)))
      )
    ).pipe(
      Effect.provide(layerHooked(directory, hook.before, mortal)),
      Effect.catch((error) => Effect.succeed([Result.fail(error)]))
    )
    for (const result of results) {
      if (Result.isSuccess(result)) continue
      assert.strictEqual(result.failure.reason._tag, "Unavailable")
      assert.match(result.failure.message, /ENOSPC.*space left/)
    }
    const recovered = yield* later(directory, recover("key"))
    assert.includeDeepMembers(
      Option.match(recovered, { onNone: () => [], onSome: ({ parts }) => parts }),
      parts(5).filter((_, index) => results.length === 5 && Result.isSuccess(results[index]!))
    )
    yield* later(
      directory,
      withLog("key", (log) => log.remove)
    )
    assert.deepStrictEqual(yield* files(directory), [], `full at change ${at}`)
    return hook.changes >= at
  }, Effect.scoped)

  it.effect("loses nothing that was acknowledged if a change or a reading fails once", () =>
    Effect.gen(function* () {
      let at = 1
      while (yield* fullAt(at, true)) at++
      assert.isAbove(at, 20)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("loses nothing that was acknowledged if it stays full", () =>
    Effect.gen(function* () {
      let at = 1
      while (yield* fullAt(at, false)) at++
      assert.isAbove(at, 20)
    }).pipe(Effect.provide([NodeServices.layer, Logger.layer([])]))
  )

  it.effect.each([".lease", ".journal"])(
    "leaves no %s behind if it can't be removed at first",
    (suffix) =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        let refused = 0
        const store = layerHooked(directory, ({ call, path }) =>
          call === "remove" && path.endsWith(suffix) && ++refused <= 3
            ? Effect.fail(diskFull)
            : Effect.void
        )
        const upload = withLog("key", (log) =>
          Effect.andThen(Effect.andThen(log.begin(header()), log.append(part(1))), log.remove)
        )
        yield* Effect.provide(upload, store)
        assert.isAbove(refused, 3)
        assert.deepStrictEqual(yield* files(directory), [])
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.effect("gives up an upload though there is no space for a journal", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* recordAndDie(directory)
      const full = layerHooked(directory, ({ call, path }) =>
        call === "write" && path.includes(".journal") ? Effect.fail(diskFull) : Effect.void
      )
      yield* Effect.provide(
        withLog("key", (log) => log.remove),
        full
      )
      assert.deepStrictEqual(yield* files(directory), [])
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
