import type { Plugin } from "esbuild"

/** ali-oss's own way to send, which is a third of its loading: here it signs, and sends nothing. */
export const withoutUrllib: Plugin = {
  name: "without-urllib",
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^urllib$/ }, () => ({ path: "urllib", namespace: "absent" }))
    onLoad({ filter: /.*/, namespace: "absent" }, () => ({ contents: "module.exports = {}" }))
  }
}
