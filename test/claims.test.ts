/** What pages claim to be there is there: flags, names, reasons, metrics and spans. */
import * as Cluster from "@effect-oss/cluster"
import * as Core from "@effect-oss/core"
import * as Emulator from "@effect-oss/emulator"
import * as FsStore from "@effect-oss/node-fs-store"
import * as NodeHttp from "@effect-oss/node-http"
import * as SqlStore from "@effect-oss/sql-store"
import * as Terminal from "@effect-oss/terminal"
import * as Web from "@effect-oss/web"
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Schema } from "effect"
import { root } from "./support/command.ts"
import { matching, pages, sources } from "./support/documents.ts"
import type { Document } from "./support/documents.ts"

/** Flags of programs that aren't ours: of npm, of esbuild, and of install in a Dockerfile. */
const othersFlags =
  "global save-dev omit bundle minify platform target external format outfile banner directory owner mode".split(
    " "
  )

const Dashboard = Schema.fromJsonString(
  Schema.Struct({
    panels: Schema.Array(
      Schema.Struct({ targets: Schema.Array(Schema.Struct({ expr: Schema.String })) })
    )
  })
)

/** Every namespace that a program can import, by its name. */
const namespaces: Readonly<Record<string, object>> = {
  ...Core,
  ...Cluster,
  ...Emulator,
  ...FsStore,
  ...NodeHttp,
  ...SqlStore,
  ...Terminal,
  ...Web
}

/** The code of a page: in its text, between backticks, and in its blocks. */
const codeOf = ({ text }: Document): ReadonlyArray<string> => {
  const fenced = Array.from(
    text.matchAll(/^```\w*(?: run)?\n([^]*?)```/gm),
    ([, code = ""]) => code
  )
  const inline = text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/`([^`\n]+)`/g)
  return [...fenced, ...Array.from(inline, ([, code = ""]) => code)]
}

/** Written by hand: the others are made out of the code. */
const written = Effect.map(pages, (all) =>
  all.filter(({ file }) => !["docs/api.md", "docs/conformance.md"].includes(file))
)

/** Named where it is made, or as the last argument of `withSpan`. */
const span =
  /(?:(?:withSpan|fn|seen)\(\s*|(?:withSpan|Span\.within)\([^]{0,200}?,\s*)"([A-Z]\w+\.\w+)"/g

/** One for each operation, whose names are made when they are needed. */
const requests = Core.OssClient.PresignRequest.fields.operation.literals.map(
  (operation) => `OssClient.${operation}`
)

const found = (text: string, pattern: RegExp) =>
  Array.from(text.matchAll(pattern), ([, name = ""]) => name)

layer(NodeServices.layer, { excludeTestServices: true })("documents", (it) => {
  it.effect("name flags that exist", () =>
    Effect.gen(function* () {
      const programs = [
        ...(yield* matching("packages/{cli,emulator}/src/**/*.ts")),
        ...(yield* matching("{simulation,bench}/**/*.ts")),
        ...(yield* matching("packages/cluster/test/**/*.ts"))
      ]
      // Flags are made by helpers: each is a text of its program.
      const known = new Set([
        ...programs.flatMap(({ text }) => found(text, /"(?:--)?([a-z][a-z0-9-]+)"/g)),
        // Of node:util's parseArgs.
        ...programs.flatMap(({ text }) => found(text, /^ +(\w+): \{ type: "/gm)),
        "help",
        "version",
        "completions",
        ...othersFlags
      ])
      const unknown = (yield* written).flatMap((page) =>
        codeOf(page)
          .flatMap((code) => found(code, /(?:^|[\s"'(])--([a-z][a-z0-9-]+)/gm))
          .filter((flag) => !known.has(flag))
          .map((flag) => `${page.file}: --${flag}`)
      )
      assert.deepStrictEqual(unknown, [])
    })
  )

  it.effect("name members of modules that exist", () =>
    Effect.gen(function* () {
      const spans = new Set((yield* sources).flatMap(({ text }) => found(text, span)))
      const modules = new Map<string, string>()
      for (const { file, text } of yield* sources) {
        const name = /src\/(\w+)\.ts$/.exec(file)?.[1]
        if (name !== undefined) modules.set(name, `${modules.get(name) ?? ""}${text}`)
      }
      const unknown = (yield* written).flatMap((page) =>
        codeOf(page)
          .flatMap((code) =>
            Array.from(code.matchAll(/(?<![\w./])([A-Z]\w+)\.([A-Za-z]\w*)(?!\w|\.test)/g))
          )
          .filter(([name, module = "", member = ""]) => {
            const namespace = namespaces[module]
            if (namespace === undefined || /^(?:ts|md)$/.test(member)) return false
            if (spans.has(name)) return false
            // A value, a type, or a member of a service that the module is named after.
            const declared = new RegExp(
              `export (?:declare )?(?:const|class|interface|type|function) ${member}\\b|export (?:type )?\\{[^}]*\\b${member}\\b|readonly ${member}[?:]`
            )
            const text = modules.get(module) ?? ""
            // With what it takes over from modules beside it.
            const others = found(text, /^export (?:type )?\* from "\.\/(\w+)\.ts"/gm).map((name) =>
              modules.get(name)
            )
            return !(member in namespace) && !declared.test([text, ...others].join("\n"))
          })
          .map(([name]) => `${page.file}: ${name}`)
      )
      assert.deepStrictEqual(unknown, [])
    })
  )

  it.effect("have a symptom for each reason of an error", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const errors = yield* fs.readFileString(`${root}/docs/errors.md`)
      const symptoms = yield* fs.readFileString(`${root}/docs/troubleshooting.md`)
      const reasons = found(errors, /^\| `(\w+)` +\|/gm)
      assert.isAbove(reasons.length, 25)
      assert.deepStrictEqual(
        reasons.filter((reason) => !symptoms.includes(`\`${reason}\``)),
        []
      )
      const named = found(symptoms, /^\|[^|]*\| `([A-Z]\w+)` +\|/gm)
      assert.includeMembers(reasons, named)
    })
  )

  it.effect("tell each metric's kind and unit", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const page = yield* fs.readFileString(`${root}/docs/observability.md`)
      const text = (yield* sources).map(({ text }) => text).join("\n")
      const made = Array.from(
        text.matchAll(/Metric\.(counter|gauge|histogram)\(\s*"([\w.]+)",\s*\{([^]*?)\n\}\)/g),
        ([, kind, name, options = ""]) => [name, kind, /unit: "(\w+)"/.exec(options)?.[1] ?? "1"]
      )
      const told = Array.from(
        page.matchAll(/^\| `(oss\.[\w.]+)` +\| (\w+) +\| `(\w+)` +\|/gm),
        ([, name, kind, unit]) => [name, kind, unit]
      )
      assert.sameDeepMembers(told, made)
    })
  )

  it.effect("query in the dashboard only metrics and labels that exist, and every metric", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const page = yield* fs.readFileString(`${root}/docs/observability.md`)
      const { panels } = yield* Schema.decodeEffect(Dashboard)(
        yield* fs.readFileString(`${root}/docs/dashboard.json`)
      )
      const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
      assert.isAbove(queries.length, 10)
      const kinds = new Map(
        Array.from(page.matchAll(/^\| `([\w.]+)` +\| (counter|gauge|histogram) /gm), (found) => [
          found[1]?.replaceAll(".", "_"),
          found[2]
        ])
      )
      const queried = queries.flatMap((query) =>
        found(query.replace(/by \([^)]*\)/, ""), /\b((?:oss|effect_cluster)_\w+)\b(?=[{[)])/g)
      )
      const known = Array.from(kinds, ([name = "", kind]) =>
        kind === "histogram" ? `${name}_bucket` : name
      )
      assert.deepStrictEqual([...new Set(queried)].toSorted(), known.toSorted())
      for (const query of queries) {
        const [name = ""] =
          /\boss_\w+(?=[{[)])|effect_\w+/.exec(query.replace(/by \([^)]*\)/, "")) ?? []
        const isCounter = kinds.get(name) === "counter" || name.endsWith("_bucket")
        assert.strictEqual(/rate\(|increase\(/.test(query), isCounter, query)
      }
      const labels = queries.flatMap((query) =>
        found(query, /by \(([^)]+)\)/g)
          .join(", ")
          .split(", ")
      )
      const attributes = ["oss_bucket", "outcome", "oss_operation", "error_type", "kind", "le", ""]
      assert.includeMembers(attributes, labels)
    })
  )

  it.effect("tell every metric and span by its name, and none that isn't there", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const page = yield* fs.readFileString(`${root}/docs/observability.md`)
      const library = (yield* sources).filter(({ file }) => !file.startsWith("packages/cli/"))
      const text = library.map(({ text }) => text).join("\n")
      const metrics = found(text, /Metric\.\w+\(\s*"([\w.]+)"/g)
      const spans = [...found(text, span), ...requests]
      const attributes = found(text, /"(oss\.\w+)":? /g)
      assert.isAbove(metrics.length, 8)
      assert.isAbove(spans.length, 20)
      const told = new Set(found(page, /`([\w.]+)`/g))
      assert.deepStrictEqual(
        [...metrics, ...spans, ...attributes].filter((name) => !told.has(name)),
        []
      )
      const known = new Set([...metrics, ...spans, ...attributes])
      assert.deepStrictEqual(
        [...told].filter((name) => /^(?:oss\.|[A-Z]\w+\.[a-z]\w+$)/.test(name) && !known.has(name)),
        []
      )
    })
  )
})
