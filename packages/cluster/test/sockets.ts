/** The sockets on which a process waits for others, as Linux tells them. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"

/** The state of a TCP socket that listens. */
const listening = "0A"

const lines = (path: string) => readFileSync(path, "utf8").trim().split("\n").slice(1)

/** Addresses of TCP, in hexadecimal, and paths or inodes of Unix sockets. */
export const listeningSockets = (pid: number): ReadonlyArray<string> => {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? []
        return inode === undefined ? [] : [inode]
      } catch {
        return []
      }
    })
  )
  const tcp = ["tcp", "tcp6"].flatMap((table) =>
    lines(`/proc/${pid}/net/${table}`).flatMap((line) => {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/)
      return state === listening && own.has(inode) ? [local] : []
    })
  )
  // Flag 0x10000: it accepts connections.
  const unix = lines(`/proc/${pid}/net/unix`).flatMap((line) => {
    const [, , , flags, , , inode = "", path = inode] = line.trim().split(/\s+/)
    return flags === "00010000" && own.has(inode) ? [path] : []
  })
  return [...tcp, ...unix]
}
