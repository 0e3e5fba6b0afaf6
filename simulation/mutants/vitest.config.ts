/** The tests that look for seeded bugs: none of them starts the command, so that nothing is bundled. */
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    include: ["packages/*/test/**/*.test.ts", "simulation/**/*.test.ts"],
    exclude: ["**/node_modules/**", "packages/cli/**"],
    isolate: false,
    testTimeout: 60_000
  }
})
