import { availableParallelism } from "node:os"
import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { directory } from "./test/support/bundled.ts"

/** What starts many processes, or takes its time: `pnpm test:long`, of which the gate runs a part. */
export const long = [
  "bench/**/*.test.ts",
  "examples/*.test.ts",
  "examples/recipes/processes.test.ts",
  "packages/cli/test/binary.test.ts",
  "packages/cli/test/proxies.test.ts",
  "packages/cli/test/terminal.test.ts",
  "packages/cluster/test/processes.test.ts",
  "packages/cluster/test/restart.test.ts",
  "packages/core/test/upload/outage.http.test.ts",
  "packages/node-http/test/contract.test.ts",
  "simulation/crashes/pairs.test.ts",
  "simulation/crashes/stream.test.ts",
  "simulation/processes/soak.test.ts",
  "simulation/worlds/campaign.test.ts",
  "packages/web/test/gigabyte.test.ts",
  "test/conformance/endpoint.test.ts",
  "test/docs.run.test.ts",
  "test/packages.test.ts",
  "test/runtimes.test.ts",
  "test/walkthrough.test.ts"
]

/** What all tests have, these and the longer ones. */
export const shared = {
  testTimeout: 60_000,
  globalSetup: ["test/support/bundled.ts"],
  env: {
    EFFECT_OSS_TEST_BIN: join(directory, "bin.js"),
    // The processes that tests start needn't compile the same again.
    NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/compiled")
  }
}

export default defineConfig({
  test: {
    include: [
      "examples/recipes/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "simulation/**/*.test.ts",
      "test/**/*.test.ts"
    ],
    exclude: [...long, "**/node_modules/**"],
    ...shared,
    // Effect and ali-oss are loaded once for all files: a third of the time.
    isolate: false,
    // The longest files wait for processes: on a small machine, too, others run meanwhile.
    maxWorkers: Math.max(3, availableParallelism() - 1)
  }
})
