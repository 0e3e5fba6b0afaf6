/**
 * A cluster in memory and in virtual time, out of a seed: uploads and a batch,
 * runners that are killed, suspended past their lease, stopped and followed by
 * others, so that shards move; requests that hang, are lost or refused. What
 * holds in the end is said by `promises`.
 */
import { Uploads } from "@effect-oss/cluster"
import { Locator } from "@effect-oss/cluster"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Effect, Layer, Option } from "effect"
import {
  bucket,
  contentOf,
  ended,
  inject,
  partSize,
  pass,
  until,
  write
} from "../../packages/cluster/test/world.ts"
import * as Fleet from "./fleet.ts"
import { client, ground } from "./runner.ts"

/** The same numbers from 0 to 1 for the same seed. */
export const dice = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 8) / 2 ** 24
  }
}

const operations = ["initiate", "uploadPart", "complete", "put", "listParts"] as const

/** A fault that goes away. */
const fault = (random: () => number): Fault.Fault => {
  const operation = operations[Math.floor(random() * operations.length)] ?? "put"
  const times = 1 + Math.floor(random() * 3)
  const kind = random()
  if (kind < 0.3) return Fault.answer({ operation, status: 503, times })
  if (kind < 0.6) return Fault.drop({ operation, times, at: random() < 0.5 ? "before" : "after" })
  const millis = Math.floor(random() * 90_000)
  return Fault.delay({ operation, times, millis, at: random() < 0.5 ? "before" : "after" })
}

/** Lives a world, and yields what is wrong in the end. */
export const live = Effect.fnUntraced(
  function* (seed: number) {
    const random = dice(seed)
    const files = Array.from({ length: 2 + Math.floor(random() * 3) }, (_, index) => ({
      key: `large-${index}`,
      bytes: contentOf(Math.floor((1 + random() * 12) * partSize), seed + index)
    }))
    const small = Array.from({ length: 20 + Math.floor(random() * 200) }, (_, index) => ({
      key: `small-${index}`,
      bytes: contentOf(1 + Math.floor(random() * 500), seed + index)
    }))
    const all = [...files, ...small]
    for (const { key, bytes } of all) yield* write(bytes, `/shared/${key}`)
    const submit = Effect.gen(function* () {
      const source = (key: string) => Locator.file(`/shared/${key}`)
      const ids = yield* Effect.forEach(files, ({ key }) =>
        Uploads.submit({ bucket, key, source: source(key), partSize })
      )
      const batch = small.map(({ key }) => ({ key, path: `/shared/${key}` }))
      return [
        ...ids,
        ...(yield* Uploads.submitMany({ bucket, prefix: "", files: batch, partSize }))
      ]
    })
    const engine = yield* Layer.build(client)
    return yield* Effect.provideContext(
      Effect.gen(function* () {
        const fleet = yield* Fleet.make
        yield* fleet.add
        const ids = yield* submit
        for (let moves = 3 + Math.floor(random() * 8); moves > 0; moves--) {
          if (random() < 0.6) yield* inject(fault(random))
          yield* move(random, fleet, ids)
          yield* pass(Math.floor(random() * 40))
        }
        // One is at work, at least.
        yield* fleet.add
        for (const id of ids) yield* until(ended(id))
        // What a killed runner had on its way arrives, or not.
        yield* pass(100)
        const wrong = yield* promises(ids, all, fleet.blows())
        yield* fleet.end
        return wrong
      }),
      engine
    )
  },
  Effect.scoped,
  Effect.provide(ground)
)

/** Something that happens to the fleet, or to an upload. */
const move = (random: () => number, fleet: Fleet.Fleet, ids: ReadonlyArray<string>) => {
  const kind = random()
  if (kind < 0.25) return fleet.add
  if (kind < 0.5) return fleet.kill(random(), random() < 0.5 ? "lost" : "carriedOut")
  // A lock lasts 35 seconds.
  if (kind < 0.7) return fleet.suspend(random(), 5 + Math.floor(random() * 90))
  if (kind < 0.85) return fleet.stop(random())
  return steered(ids[Math.floor(random() * ids.length)] ?? "")
}

/** Paused, and going on after a while. */
const steered = Effect.fnUntraced(function* (id: string) {
  yield* Uploads.pause(id)
  yield* pass(10)
  yield* Uploads.resume(id)
})

/** Every upload is done, every object whole, and nothing is left behind. */
const promises = Effect.fnUntraced(function* (
  ids: ReadonlyArray<string>,
  files: ReadonlyArray<{ readonly key: string; readonly bytes: Uint8Array }>,
  blows: number
) {
  const wrong: Array<string> = []
  for (const id of ids) {
    const status = yield* Uploads.status(id)
    const isDone =
      status._tag === "Completed" || (status._tag === "BatchEnded" && status.result.failed === 0)
    const why = status._tag === "BatchEnded" ? status.result.failures[0]?.error.message : ""
    if (!isDone) wrong.push(`${id} is ${status._tag} ${why ?? ""}`)
  }
  const emulator = yield* OssEmulator.OssEmulator
  for (const { key, bytes } of files) {
    const object = yield* emulator.object(bucket, key)
    const stored = Option.isSome(object) ? yield* object.value.bytes : undefined
    if (stored === undefined || Buffer.compare(stored, bytes) !== 0)
      wrong.push(`${key} isn't whole`)
  }
  // A runner that is struck before it records an upload id leaves it, without parts.
  const open = yield* emulator.uploads(bucket)
  if (open.length > 2 * blows) wrong.push(`${open.length} uploads are open`)
  for (const { key, parts } of open) {
    if (parts.length > 0) wrong.push(`an upload of ${key} is open and has parts`)
  }
  if ((yield* emulator.inFlight) > 0) wrong.push("a request is under way")
  return wrong
})
