import { defineConfig } from "vitest/config"

/** What starts many processes, or takes its time: `pnpm test:long`. */
export const long = [
  "bench/**/*.test.ts",
  "examples/**/*.test.ts",
  "packages/cli/test/terminal.test.ts",
  "packages/cluster/test/processes.test.ts",
  "packages/core/test/types.test.ts",
  "packages/node-http/test/contract.test.ts",
  "test/packages.test.ts",
  "test/walkthrough.test.ts"
]

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "simulation/**/*.test.ts", "test/**/*.test.ts"],
    exclude: [...long, "**/node_modules/**"],
    // Effect and ali-oss are loaded once for all files: a third of the time.
    isolate: false,
    testTimeout: 30_000
  }
})
