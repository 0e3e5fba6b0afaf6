/**
 * What is compared with what, and how: every round runs each contender once,
 * one after the other, so that whatever slows this machine slows all alike. A
 * ratio is the median of the rounds' ratios.
 */
import * as Effect from "effect/Effect"
import type { Command, Run, Sink } from "./Process.ts"
import * as Process from "./Process.ts"
import type { SinkOptions } from "./Protocol.ts"

/** Something to measure. */
export interface Contender {
  readonly name: string
  readonly command: (sink: Sink) => Command
  /** Before each run. */
  readonly prepare?: Effect.Effect<void>
  /** Instead of the comparison's. */
  readonly sink?: SinkOptions
}

/** A figure of a run. */
export interface Metric {
  readonly name: string
  /** True: more is better. */
  readonly isSpeed?: boolean
  readonly of: (run: Run) => number
}

export interface Ratio {
  readonly metric: Metric
  readonly over: readonly [string, string]
  /** Of the project's targets: at least, and aimed at. */
  readonly target?: readonly [number, number]
}

export interface Comparison {
  readonly name: string
  readonly title: string
  readonly rounds: number
  readonly sink: SinkOptions
  readonly contenders: ReadonlyArray<Contender>
  readonly metrics: ReadonlyArray<Metric>
  readonly ratios: ReadonlyArray<Ratio>
}

export const wall: Metric = { name: "wall s", of: ({ wallMillis }) => wallMillis / 1_000 }
export const cpu: Metric = { name: "CPU s", of: ({ cpuMillis }) => cpuMillis / 1_000 }
export const peak: Metric = { name: "peak MiB", of: ({ peakMiB }) => peakMiB }
export const held: Metric = { name: "held MiB", of: ({ heldMiB = 0 }) => heldMiB }
export const checkpoint: Metric = {
  name: "checkpoint bytes",
  of: ({ checkpointBytes = 0 }) => checkpointBytes
}
export const sent: Metric = { name: "MiB at the sink", of: ({ sink }) => sink.bytes / 2 ** 20 }
export const firstByte: Metric = {
  name: "first byte s",
  of: ({ firstByteMillis }) => firstByteMillis / 1_000
}
export const speed: Metric = {
  name: "GB/s",
  isSpeed: true,
  of: ({ bytesPerSecond = 0 }) => bytesPerSecond / 1e9
}

/** What came of a comparison: figures are medians. */
export interface Outcome {
  readonly name: string
  readonly title: string
  readonly rounds: number
  readonly figures: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly ratios: ReadonlyArray<{
    readonly ratio: string
    readonly median: number
    /** Of the best run of each: whatever disturbs a run makes it worse, never better. */
    readonly best: number
    readonly isSpeed: boolean
    readonly all: ReadonlyArray<number>
    readonly target?: readonly [number, number]
  }>
}

/** Runs a comparison; a first round, which fills caches, doesn't count. */
export const measure = Effect.fnUntraced(function* (comparison: Comparison) {
  const sinks = yield* Effect.forEach(comparison.contenders, ({ sink = comparison.sink }) =>
    Process.sink(sink)
  )
  const round = Effect.forEach(comparison.contenders, ({ name, command, prepare }, index) =>
    Effect.gen(function* () {
      yield* prepare ?? Effect.void
      const sink = sinks[index]!
      return [name, yield* Process.run(command(sink), sink)] as const
    })
  ).pipe(Effect.map((runs) => new Map(runs)))
  yield* round
  const rounds = yield* Effect.forEach(Array.from({ length: comparison.rounds }), () => round)
  return summary(comparison, rounds)
}, Effect.scoped)

const summary = (
  { name, title, contenders, metrics, ratios }: Comparison,
  rounds: ReadonlyArray<ReadonlyMap<string, Run>>
): Outcome => ({
  name,
  title,
  rounds: rounds.length,
  figures: Object.fromEntries(
    contenders.map((contender) => [
      contender.name,
      Object.fromEntries(
        metrics.map((metric) => [
          metric.name,
          rounded(median(rounds.map((round) => metric.of(round.get(contender.name)!))))
        ])
      )
    ])
  ),
  ratios: ratios.map(({ metric, over: [above, below], target }) => {
    const all = rounds.map((round) => metric.of(round.get(above)!) / metric.of(round.get(below)!))
    const { isSpeed = false } = metric
    const best = (name: string) =>
      (isSpeed ? Math.max : Math.min)(...rounds.map((round) => metric.of(round.get(name)!)))
    return {
      ratio: `${metric.name}: ${above} ÷ ${below}`,
      median: rounded(median(all)),
      best: rounded(best(above) / best(below)),
      isSpeed,
      all: all.map(rounded),
      ...(target === undefined ? {} : { target })
    }
  })
})

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.floor(middle - 0.5)]! + sorted[Math.ceil(middle - 0.5)]!) / 2
}

/** Three significant digits tell all that such figures know. */
const rounded = (value: number): number => Number(value.toPrecision(3))

/** As a table for people. */
export const table = ({ title, rounds, figures, ratios }: Outcome): string => {
  const names = Object.keys(Object.values(figures)[0] ?? {})
  const row = (cells: ReadonlyArray<string | number>) => `| ${cells.join(" | ")} |`
  return [
    `### ${title} (n = ${rounds})`,
    "",
    row(["", ...names]),
    row(["---", ...names.map(() => "---:")]),
    ...Object.entries(figures).map(([name, values]) => row([name, ...Object.values(values)])),
    "",
    ...ratios.map(
      ({ ratio, median, target }) =>
        `- ${ratio} = **${median}**${target === undefined ? "" : ` (at least ${target[0]}, aim ${target[1]})`}`
    ),
    ""
  ].join("\n")
}

/** As rows of the table in README.md: what is aimed at, and what was measured. */
export const rows = ({ name, rounds, ratios }: Outcome): ReadonlyArray<string> =>
  ratios.map(({ ratio, median, target }) => {
    const [least = "", aim = ""] = target ?? []
    return `| \`${name}\`: ${ratio} | ${median} | ${least} | ${aim} | ${rounds} |`
  })

/** What stands above those rows. */
export const header: ReadonlyArray<string> = [
  "| row | measured | at least | aim | n |",
  "| --- | ---: | ---: | ---: | --: |"
]
