/** What has happened in a world, in order, with the time of each event. */

/** Sums over worlds. */
export interface Stats {
  worlds: number
  runs: number
  kills: number
  interruptions: number
  sweeps: number
  powerLosses: number
  suspensions: number
  clockJumps: number
  serverFaults: number
  serverLosses: number
  diskFaults: number
  damages: number
  edits: number
  errors: number
  successes: number
  /** Ended with an error that trying again does not mend. */
  finalErrors: number
  /** Of the objects reported as success. */
  bytes: number
  virtualMillis: number
  /** Upload ids that stayed on the server, by what excuses them. */
  excused: Record<string, number>
}

export const noStats = (): Stats => ({
  worlds: 0,
  runs: 0,
  kills: 0,
  interruptions: 0,
  sweeps: 0,
  powerLosses: 0,
  suspensions: 0,
  clockJumps: 0,
  serverFaults: 0,
  serverLosses: 0,
  diskFaults: 0,
  damages: 0,
  edits: 0,
  errors: 0,
  successes: 0,
  finalErrors: 0,
  bytes: 0,
  virtualMillis: 0,
  excused: {}
})

/** Adds the sums of one world to others. */
export const add = (to: Stats, from: Stats): void => {
  for (const name of Object.keys(from) as ReadonlyArray<keyof Stats>) {
    if (name !== "excused") to[name] += from[name]
  }
  for (const [reason, count] of Object.entries(from.excused)) {
    to.excused[reason] = (to.excused[reason] ?? 0) + count
  }
}

/** A world broke an invariant. */
export class Violation extends Error {
  readonly story: Story
  constructor(message: string, story: Story) {
    super(`seed ${story.seed}: ${message}`)
    this.story = story
  }
}

export interface Story {
  readonly seed: number
  readonly stats: Stats
  readonly tell: (event: () => string) => void
  readonly violated: (message: string) => never
  /** Throws what `violated` threw where it was taken for a defect of the process. */
  readonly rethrow: () => void
  readonly lines: () => ReadonlyArray<string>
}

/** Events are put into words only when somebody wants to read them: most worlds end well. */
export const make = (seed: number, now: () => number): Story => {
  const begin = now()
  const events: Array<readonly [number, () => string]> = []
  let violation: Violation | undefined
  const story: Story = {
    seed,
    stats: { ...noStats(), worlds: 1 },
    tell: (event) => void events.push([now() - begin, event]),
    violated: (message) => {
      violation ??= new Violation(message, story)
      throw violation
    },
    rethrow: () => {
      if (violation !== undefined) throw violation
    },
    lines: () => events.map(([at, event]) => `${(at / 1000).toFixed(3).padStart(11)}  ${event()}`)
  }
  return story
}

export const show = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part))
