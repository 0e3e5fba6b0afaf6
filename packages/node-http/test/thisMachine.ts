/** How a proxy of a test finds its hosts. */
import type { lookup } from "node:dns"

const found = (
  _: string,
  { all }: { readonly all?: boolean },
  callback: (error: null, found: unknown, family?: number) => void
) =>
  all === true
    ? callback(null, [{ address: "127.0.0.1", family: 4 }])
    : callback(null, "127.0.0.1", 4)

/** Each name is this machine, whatever the machine's own resolver knows. */
export const toThisMachine = found as unknown as typeof lookup
