/** The command that tests start as a process. */
import { join } from "node:path"

/**
 * In `pnpm test` the bundle that `bundled.ts` has made, which starts in a third
 * of the time and is what is published; elsewhere the sources.
 */
export const bin: string =
  process.env["EFFECT_OSS_TEST_BIN"] ?? join(import.meta.dirname, "../../packages/cli/src/bin.ts")
