import { defineConfig } from "vitest/config"
import { long, shared } from "./vitest.config.ts"

export default defineConfig({ test: { ...shared, include: long, retry: 1 } })
