#!/usr/bin/env node
/** The process. What it compiles is kept from run to run, where that is possible: it takes a quarter off the start. */
import * as module from "node:module"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  const what = `effect-oss needs Node 22.19 or later, and this is ${process.versions.node}`
  process.stderr.write(`error: ${what}\n  → run it by a newer one, or put that first in PATH\n`)
  process.exit(2)
}

module.enableCompileCache()
await import("./main.ts")
