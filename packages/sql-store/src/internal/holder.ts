/** What this process is called by others that want what it holds. */

/** Process and host, where the runtime tells them; without an import, since not every runtime has `node:os`. */
export const holder = (): string => {
  if (typeof process === "undefined" || process.pid === undefined) return "another process"
  const host = process.getBuiltinModule?.("node:os").hostname()
  return host === undefined ? `process ${process.pid}` : `process ${process.pid} on host ${host}`
}
