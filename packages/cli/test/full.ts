/** Runs the command with a full disk as its standard output. */
import { spawnSync } from "node:child_process"
import { openSync } from "node:fs"
import { fileURLToPath } from "node:url"

const bin = fileURLToPath(new URL("../src/bin.ts", import.meta.url))
const { status } = spawnSync(process.execPath, [bin, ...process.argv.slice(2)], {
  stdio: ["ignore", openSync("/dev/full", "w"), "inherit"]
})
process.exit(status ?? 1)
