import type { Plugin } from "esbuild"

/**
 * A file for `first`, one for what `second` needs besides, and then the rest.
 * Left alone, esbuild cuts a file for each set of commands that share
 * something, and to open forty of them takes longer than to run them.
 *
 * Whatever is imported late says that it comes after those two. Its default
 * export, if it has one, can't be imported late.
 */
export const fewFiles = (first: string, second: string): Plugin => ({
  name: "few-files",
  setup: ({ onResolve, onLoad, resolve }) => {
    onResolve({ filter: /./ }, async ({ kind, path, pluginData, ...from }) => {
      // What doesn't run on Effect shares nothing with them.
      const isOurs = path.startsWith(".") || path.includes("effect")
      if (kind !== "dynamic-import" || pluginData === resolved || !isOurs) return
      const found = await resolve(path, { kind, ...from, pluginData: resolved })
      return found.path === first
        ? { path: first, sideEffects: true }
        : { path: found.path, namespace: "late", pluginData: from.resolveDir }
    })
    onResolve({ filter: /^(first|second)$/, namespace: "late" }, ({ path }) => ({
      path: path === "first" ? first : second,
      sideEffects: true
    }))
    onLoad({ filter: /./, namespace: "late" }, ({ path, pluginData }) => ({
      contents: ["first", "second"]
        .map((before) => `import "${before}"\n`)
        .concat(`export * from ${JSON.stringify(path)}`)
        .join(""),
      resolveDir: pluginData
    }))
  }
})

const resolved = Symbol("resolved")
