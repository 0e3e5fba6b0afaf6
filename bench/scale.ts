/**
 * Compares the model of docs/scale.md with what happens, `node bench/scale.ts`:
 * runners in processes of their own, against a sink with latency and a limit for
 * each connection. Prints JSON, a line a case. With `--fleet` it only prints
 * what the model says of fleets.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { availableParallelism } from "node:os"
import { median } from "./src/Comparison.ts"
import { place } from "./src/place.ts"
import * as Model from "./src/model.ts"
import * as Process from "./src/Process.ts"

const MiB = 2 ** 20
const rounds = 3

/** Milliseconds, MB/s a connection, MiB a file, MiB a part, parts at once, runners. */
const cases = [
  [10, 10, 128, 8, 4, 1],
  [10, 10, 64, 1, 4, 1],
  [50, 10, 128, 8, 4, 1],
  [50, 10, 128, 8, 16, 1],
  [50, 10, 64, 1, 16, 1],
  [50, 20, 256, 8, 16, 1],
  [200, 10, 128, 8, 4, 1],
  [200, 10, 64, 1, 16, 1],
  [50, 10, 128, 8, 4, 2],
  [50, 10, 64, 1, 4, 2],
  [50, 10, 64, 8, 4, 4],
  [200, 5, 64, 4, 4, 4]
] as const

/** From the start of the first process to the end of the last, in seconds. */
const run = Effect.fnUntraced(function* (
  { latency, connection }: Pick<Model.Network, "latency" | "connection">,
  { size, partSize, parallel, runners }: Model.Work
) {
  const { file, directory } = yield* place()
  const sink = yield* Process.sink({
    latency: latency * 1_000,
    ...(Number.isFinite(connection) ? { bytesPerSecond: connection } : {})
  })
  const files = [file(size)]
  const one = Effect.suspend(() => {
    const task = { endpoint: sink.endpoint, files, partSize, parallel, directory: directory() }
    return Process.run(Process.contender("ours", task), sink)
  })
  const all = Effect.map(
    Effect.all(
      Array.from({ length: runners }, () => one),
      { concurrency: runners }
    ),
    (runs) => Math.max(...runs.map(({ wallMillis }) => wallMillis)) / 1_000
  )
  yield* one
  return median(yield* Effect.replicateEffect(all, rounds))
}, Effect.scoped)

const work = { files: 1, size: MiB, partSize: MiB, parallel: 5, runners: 1 }
const near = { latency: 0, connection: Number.POSITIVE_INFINITY }

/** What a runner costs here: nothing is waited for. */
const calibrate = Effect.gen(function* () {
  const start = yield* run(near, work)
  const large = (yield* run(near, { ...work, size: 1024 * MiB, partSize: 16 * MiB })) - start
  const small = (yield* run(near, { ...work, size: 1024 * MiB, partSize: MiB })) - start
  const perRequest = Math.max(0, (small - large) / (1024 - 64))
  const perByte = Math.max(0, large - 64 * perRequest) / (1024 * MiB)
  return { start, perRequest, perByte } satisfies Model.Runner
})

const program = Effect.gen(function* () {
  const runner = yield* calibrate
  yield* Console.log(JSON.stringify({ calibrated: runner }))
  const errors: Array<number> = []
  for (const [millis, megabytes, size, partSize, parallel, runners] of cases) {
    const network = {
      latency: millis / 1_000,
      connection: megabytes * 1e6,
      node: Number.POSITIVE_INFINITY
    }
    const work = { files: runners, size: size * MiB, partSize: partSize * MiB, parallel, runners }
    const measured = yield* run(network, work)
    // All start on one machine here, which is not so in a fleet.
    const start = runner.start * Math.max(1, runners / availableParallelism())
    const predicted = start + Model.fileSeconds(network, runner, work)
    const error = predicted / measured - 1
    errors.push(Math.abs(error))
    yield* Console.log(
      JSON.stringify({
        millis,
        megabytes,
        size,
        partSize,
        parallel,
        runners,
        measured,
        predicted,
        error
      })
    )
  }
  yield* Console.log(JSON.stringify({ medianError: median(errors), worst: Math.max(...errors) }))
})

const GiB = 2 ** 30

/** A machine of 10 Gbit/s in the region; a core's costs as measured here, rounded up, and those of the messages about a small file. */
const node = { latency: 0.02, connection: 50e6, node: 1.25e9 }
const runner = { start: 1, perRequest: 0.01, perByte: 2e-9 }
/** As OSS publishes them: Gbit/s of one account in a large region, elsewhere in mainland China, and outside. */
const bandwidths = [20, 10, 5]
const accountOf = (gigabits: number) => ({ bandwidth: gigabits / 8e-9, requests: 10_000 })

const fleet = Effect.gen(function* () {
  const row = (cells: ReadonlyArray<string | number>) => Console.log(`| ${cells.join(" | ")} |`)
  const hoursAt = bandwidths.map((gigabits) => `hours at ${gigabits} Gbit/s`)
  yield* row([
    "files",
    "of",
    "runners",
    "parallel",
    "MB/s at 20 Gbit/s",
    "held back by",
    ...hoursAt
  ])
  for (const [files, size, name] of [
    [10_000_000, 100 * 1024, "100 KiB"],
    [10_000_000, 10 * MiB, "10 MiB"],
    [10_000, 10 * GiB, "10 GiB"]
  ] as const) {
    for (const [runners, parallel] of [
      [1, 5],
      [1, 16],
      [10, 16],
      [100, 16]
    ] as const) {
      const work = { files, size, partSize: 8 * MiB, parallel, runners }
      const [most, ...less] = bandwidths.map((gigabits) =>
        Model.throughput(node, accountOf(gigabits), runner, work)
      )
      if (most === undefined) continue
      const hours = [most, ...less].map(({ bytesPerSecond }) => {
        const hours = (files * size) / bytesPerSecond / 3_600
        return hours < 1 ? hours.toFixed(1) : Math.round(hours)
      })
      const speed = Math.round(most.bytesPerSecond / 1e6)
      yield* row([files, name, runners, parallel, speed, most.limit, ...hours])
    }
  }
})

const chosen = process.argv.includes("--fleet") ? fleet : program
chosen.pipe(NodeRuntime.runMain)
