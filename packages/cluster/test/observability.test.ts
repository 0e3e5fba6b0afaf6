/** The documents name every metric and span that there is, and a runner counts what it does. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Uploads } from "@effect-oss/cluster"
import { Effect, Layer, Metric } from "effect"
import { content, ended, ground, request, runner, until, write } from "./world.ts"

const root = join(import.meta.dirname, "../../..")

const sources = ["core", "cluster"].flatMap((name) => {
  const directory = join(root, "packages", name, "src")
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(join(directory, file), "utf8"))
})

const names = (pattern: RegExp) =>
  new Set(sources.flatMap((text) => Array.from(text.matchAll(pattern), ([, name = ""]) => name)))

describe("docs/observability.md", () => {
  const document = readFileSync(join(root, "docs/observability.md"), "utf8")

  it("names every metric", () => {
    const metrics = names(/Metric\.\w+\("([\w.]+)"/g)
    assert.isAbove(metrics.size, 8)
    for (const name of metrics) assert.include(document, `\`${name}\``)
  })

  it("names every span, and no other", () => {
    const spans = names(
      /(?:(?:Effect\.fn|withSpan|seen)\(\s*|Span\.within\([^]{0,200}?,\s*)"(\w+\.\w+)"/g
    )
    assert.isAbove(spans.size, 15)
    for (const name of spans) assert.include(document, `\`${name}\``)
    const documented = document.matchAll(/`((?:Upload|Uploads|UploadRunner)\.\w+)`/g)
    for (const [, name = ""] of documented) assert.isTrue(spans.has(name), name)
  })
})

describe("a runner", () => {
  it.effect("counts what ended, and what it works on", () =>
    Effect.gen(function* () {
      yield* write(content)
      yield* until(ended(yield* Uploads.submit(request)))
      const snapshot = yield* Metric.snapshot
      const of = (id: string) => snapshot.filter((metric) => metric.id === id)
      const counted = of("oss.cluster.executions")
      assert.deepInclude(counted[0]?.attributes, { kind: "upload", outcome: "completed" })
      const [activities] = of("oss.cluster.activities")
      assert.deepInclude(activities?.state, { value: 0 })
    }).pipe(
      Effect.provide(Layer.provideMerge(runner(), ground)),
      // Other files' runners count in the same process.
      Effect.provideService(Metric.MetricRegistry, new Map())
    )
  )
})
