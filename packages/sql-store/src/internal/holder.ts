/** The name of this process in `Busy` errors of other processes. */

/** The process id and the host, if the runtime tells them. It imports nothing, because not every runtime has `node:os`. */
export const holder = (): string => {
  if (typeof process === "undefined" || process.pid === undefined) return "another process"
  const host = process.getBuiltinModule?.("node:os").hostname()
  return host === undefined ? `process ${process.pid}` : `process ${process.pid} on host ${host}`
}
