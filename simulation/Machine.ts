/** The machines of a world: process ids that come back to life with nobody else's name, and one boot after another. */

export interface Machine {
  readonly name: string
  /** The wall clock less the true time, in milliseconds. */
  offset: number
  boot: number
  readonly processes: Set<number>
  /** Starts a process. */
  readonly spawn: () => number
  /** What Linux tells under /proc to a process; undefined for other paths. */
  readonly proc: (path: string) => string | undefined
}

const stat = /^\/proc\/(\d+)\/stat$/

export const make = (name: string): Machine => {
  let last = 100
  const processes = new Set<number>()
  const machine: Machine = {
    name,
    offset: 0,
    boot: 1,
    processes,
    spawn: () => {
      processes.add(++last)
      return last
    },
    proc: (path) => {
      if (path === "/proc/sys/kernel/random/boot_id") return `${name}-boot-${machine.boot}`
      if (path === "/proc/self/ns/pid") return "pid:[4026531836]"
      const pid = Number(stat.exec(path)?.[1])
      return processes.has(pid) ? `${pid} (node) S ${"0 ".repeat(18)}${pid * 1000} 0` : undefined
    }
  }
  return machine
}
