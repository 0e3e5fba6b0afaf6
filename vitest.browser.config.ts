import { defineConfig } from "vitest/config"

/** What runs in a real browser: `pnpm test:browser`. */
export default defineConfig({
  test: {
    include: ["packages/web/test/**/*.browser.ts"],
    // One browser at a time: several on a small machine slow each other down.
    fileParallelism: false,
    testTimeout: 100_000,
    hookTimeout: 300_000
  }
})
