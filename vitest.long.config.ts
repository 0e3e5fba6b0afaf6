import { defineConfig } from "vitest/config"
import { long } from "./vitest.config.ts"

export default defineConfig({ test: { include: long, testTimeout: 60_000, retry: 1 } })
