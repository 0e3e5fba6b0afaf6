/**
 * `node packages/cli/bundle.ts [DIRECTORY]`: the command in a few files, with
 * all that it needs, into `dist` or wherever. Of 700 modules, most of them small,
 * finding and loading was two thirds of the time to the first byte.
 *
 * Beside them go the licences of the packages that are in there.
 */
import { build, type Metafile } from "esbuild"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fewFiles } from "./fewFiles.ts"
import { lateSegmenter } from "./lateSegmenter.ts"
import { withoutUrllib } from "./withoutUrllib.ts"

const root = join(import.meta.dirname, "../..")
const source = (path: string) => join(import.meta.dirname, "src", path)
const directory = process.argv[2] ?? join(import.meta.dirname, "dist")

/**
 * CommonJS packages ask for Node's modules by `require`, which ES modules don't
 * have; to make one takes time, and most files never ask. What they use that is
 * out of date Node forgives where it finds it in `node_modules` only, and that is
 * no business of whoever runs the command.
 */
const banner = `import { createRequire as requireFor } from "node:module"
let required
const require = (name) => (required ??= requireFor(import.meta.url))(name)
process.noDeprecation = true`

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [source("bin.ts")],
  outdir: directory,
  chunkNames: "bin/[name]-[hash]",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node22.19",
  minifySyntax: true,
  legalComments: "none",
  banner: { js: banner },
  plugins: [
    withoutUrllib,
    lateSegmenter,
    fewFiles(source("main.ts"), source("internal/commands/upload.ts"))
  ],
  metafile: true,
  logLevel: "warning"
})

/** The directories of the packages that are not of this workspace. */
const packagesIn = ({ inputs }: Metafile) =>
  new Set(
    Object.keys(inputs).flatMap((path) => {
      const [found] = /^.*node_modules\/(@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? []
      return found === undefined ? [] : [join(root, found)]
    })
  )

const licenceOf = (path: string) => {
  const { name, version, license } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"))
  const file = readdirSync(path).find((file) => /^licen[cs]e/i.test(file))
  const text = file === undefined ? "" : `\n${readFileSync(join(path, file), "utf8").trim()}\n`
  return `${name} ${version} (${license ?? "see its text"})\n${text}`
}

const licences = Array.from(packagesIn(metafile))
  .filter((path) => existsSync(join(path, "package.json")))
  .map(licenceOf)
  .sort()
writeFileSync(join(directory, "bin/LICENSES.txt"), licences.join(`\n${"-".repeat(72)}\n\n`))
