import { defineConfig } from "vitest/config"
import { long } from "./vitest.config.ts"

/** Whoever runs this has a machine to spare: what a user types is run once more. */
const include = [...long, "packages/cli/test/terminal.test.ts", "test/walkthrough.test.ts"]

export default defineConfig({
  test: { include, testTimeout: 60_000, retry: 1, env: { LONG: "1" } }
})
