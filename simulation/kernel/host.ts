/** A simulated host: its wall clock, its boots, and process ids, each of which is used once. */

export interface Host {
  readonly name: string
  /** The wall clock minus the true time, in milliseconds. */
  clockOffset: number
  boot: number
  readonly processes: Set<number>
  /** Starts a process and returns its id. */
  readonly spawn: () => number
  /** The content of a path under /proc; undefined for other paths. */
  readonly proc: (path: string) => string | undefined
}

const stat = /^\/proc\/(\d+)\/stat$/

export const make = (name: string): Host => {
  let last = 100
  const processes = new Set<number>()
  const host: Host = {
    name,
    clockOffset: 0,
    boot: 1,
    processes,
    spawn: () => {
      processes.add(++last)
      return last
    },
    proc: (path) => {
      if (path === "/proc/sys/kernel/random/boot_id") return `${name}-boot-${host.boot}`
      if (path === "/proc/self/ns/pid") return "pid:[4026531836]"
      const pid = Number(stat.exec(path)?.[1])
      return processes.has(pid) ? `${pid} (node) S ${"0 ".repeat(18)}${pid * 1000} 0` : undefined
    }
  }
  return host
}
