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
  /** Requests that met trouble that is only over HTTP. */
  httpTroubles: number
  diskFaults: number
  damages: number
  edits: number
  errors: number
  successes: number
  /** Runs that ended with an error that another attempt does not mend. */
  finalErrors: number
  /** Of the objects reported as success. */
  bytes: number
  virtualMillis: number
  /** Upload ids that stayed on the server, by the excuse. */
  excused: Record<string, number>
}

export const none = (): Stats => ({
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
  httpTroubles: 0,
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
