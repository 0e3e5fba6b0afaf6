#!/usr/bin/env node
/** The process. What it compiles is kept from run to run, where that is possible: it takes a quarter off the start. */
import { writeSync } from "node:fs"
import * as module from "node:module"
import { version } from "./internal/version.ts"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  const what = `effect-oss needs Node 22.19 or later, and this is ${process.versions.node}`
  process.stderr.write(`error: ${what}\n  → run it by a newer one, or put that first in PATH\n`)
  process.exit(2)
}

/**
 * Prints the version at once, because scripts ask for it often. If the output
 * can't be written, the full command runs and reports that.
 */
const answered = () => {
  const [asked = "", ...rest] = process.argv.slice(2)
  if (!["--version", "-v", "version"].includes(asked) || rest.length > 0) return false
  try {
    return writeSync(1, `effect-oss v${version}\n`) > 0
  } catch {
    return false
  }
}

if (!answered()) {
  module.enableCompileCache()
  await import("./main.ts")
}
