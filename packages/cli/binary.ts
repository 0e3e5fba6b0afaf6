/**
 * `node packages/cli/binary.ts [DIRECTORY]`: the command as one file that needs
 * no Node, for the platform that this runs on, into `dist` or wherever. It is
 * the Node that runs this, with the command in it as a single executable
 * application.
 */
import { build } from "esbuild"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inject } from "postject"
import { withoutUrllib } from "./withoutUrllib.ts"

const directory = process.argv[2] ?? join(import.meta.dirname, "dist")
const isWindows = process.platform === "win32"
const isMac = process.platform === "darwin"
const program = join(directory, isWindows ? "effect-oss.exe" : "effect-oss")

/** Node looks for this in itself; it is the same in every Node. */
const sentinelFuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2"

const work = mkdtempSync(join(tmpdir(), "effect-oss-binary-"))
const [main, config, blob] = ["main.cjs", "sea.json", "blob"].map((name) => join(work, name)) as [
  string,
  string,
  string
]

try {
  await build({
    absWorkingDir: join(import.meta.dirname, "../.."),
    entryPoints: [join(import.meta.dirname, "src/main.ts")],
    outfile: main,
    bundle: true,
    platform: "node",
    // Node 24 takes no ES module there.
    format: "cjs",
    target: "node24",
    minifySyntax: true,
    legalComments: "none",
    define: { "import.meta.url": "moduleUrl" },
    banner: {
      js: `const moduleUrl = require("node:url").pathToFileURL(process.execPath).href
process.noDeprecation = true`
    },
    plugins: [withoutUrllib],
    logLevel: "warning"
  })
  writeFileSync(config, JSON.stringify({ main, output: blob, disableExperimentalSEAWarning: true }))
  execFileSync(process.execPath, ["--experimental-sea-config", config], { stdio: "ignore" })
  mkdirSync(directory, { recursive: true })
  copyFileSync(process.execPath, program)
  chmodSync(program, 0o755)
  // A signature of Node's own would be wrong from now on.
  if (isMac) execFileSync("codesign", ["--remove-signature", program])
  await inject(program, "NODE_SEA_BLOB", readFileSync(blob), {
    sentinelFuse,
    ...(isMac ? { machoSegmentName: "NODE_SEA" } : {})
  })
  if (isMac) execFileSync("codesign", ["--sign", "-", program])
} finally {
  rmSync(work, { recursive: true, force: true })
}
