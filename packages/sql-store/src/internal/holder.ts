/** The default name of this process in `Busy` errors of other processes. */

/** Process id and host, if known. Doesn't import `node:os`, which some runtimes lack. */
export const holder = (): string => {
  if (typeof process === "undefined" || process.pid === undefined) return "another process"
  const host = process.getBuiltinModule?.("node:os").hostname()
  return host === undefined ? `process ${process.pid}` : `process ${process.pid} on host ${host}`
}
