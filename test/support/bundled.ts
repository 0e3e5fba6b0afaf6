/** Makes the command's bundle, once for all tests that start it. */
import { execFileSync } from "node:child_process"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")

/** The directory of the bundle. */
export const directory: string = join(root, "node_modules/.cache/effect-oss")

export const setup = (): void => {
  execFileSync(process.execPath, [join(root, "packages/cli/bundle.ts"), directory])
}
