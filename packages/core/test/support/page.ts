/** What a page loads. */
import { Effect } from "effect"
import { build, type Metafile } from "esbuild"

/** The bundle of a page's program, made as pages are shipped. `directory` is where its imports are looked for. */
export const pageOf = (contents: string, directory: string) =>
  Effect.promise(() =>
    build({
      stdin: { contents, resolveDir: directory, loader: "ts" },
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      logLevel: "silent"
    })
  )

/** The files of which something is left in the bundle. */
export const inputsOf = ({ metafile }: { readonly metafile: Metafile }) =>
  Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []))
  )
