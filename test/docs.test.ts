import { CheckpointStore, OssError, Source } from "@effect-oss/core"
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, FileSystem, Path, Schema } from "effect"
import { root, succeed } from "./support/command.ts"
import { declarationsOf } from "./support/declarations.ts"
import { blocks, pages, sources } from "./support/documents.ts"
import { agents } from "./support/agents.ts"
import { shownIn, withIncluded } from "./support/included.ts"
import { reference } from "./support/reference.ts"

/** What GitHub makes of a heading. */
const anchorOf = (title: string) =>
  title
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-")

layer(NodeServices.layer, { excludeTestServices: true })("documents", (it) => {
  it.effect("show the programs that are tested, as they are: pnpm api", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const shown = (yield* pages).flatMap(shownIn)
      for (const page of yield* pages) assert.strictEqual(yield* withIncluded(page), page.text)
      const recipes = yield* fs.readDirectory(`${root}/examples/recipes`, { recursive: true })
      const own = recipes.filter((name) => /\w\.\w+$|Dockerfile$/.test(name))
      const tests = new Set(["page.test.ts", "processes.test.ts"])
      assert.deepStrictEqual(
        shown.map((file) => file.replace("examples/recipes/", "")).toSorted(),
        own.filter((name) => !tests.has(name)).toSorted()
      )
    })
  )

  it.effect("tell in each package's AGENTS.md what its README and the pages tell: pnpm api", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const all = yield* agents
      assert.isAtLeast(all.length, 10)
      for (const { file, text } of all) {
        assert.strictEqual(yield* fs.readFileString(`${root}/${file}`), text)
        const manifest = yield* fs.readFileString(
          `${root}/${file.replace(/\w+\.md$/, "package.json")}`
        )
        assert.include(manifest, `"AGENTS.md"`, file)
        assert.isBelow(text.split("\n").length, 130, file)
      }
      const mistakes = all.find(({ file }) => file === "packages/core/AGENTS.md")
      assert.strictEqual(mistakes?.text.match(/^\d+\. \*\*/gm)?.length, 10)
    })
  )

  it.effect("have a path through all pages", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* fs.readFileString(`${root}/docs/README.md`)
      const own = (yield* fs.readDirectory(`${root}/docs`)).filter(
        (name) => name.endsWith(".md") && name !== "README.md"
      )
      assert.deepStrictEqual(
        own.filter((name) => !path.includes(`](${name})`)),
        []
      )
    })
  )

  it.effect("list every example, and none that isn't there", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const list = yield* fs.readFileString(`${root}/examples/README.md`)
      const linked = Array.from(list.matchAll(/\]\(([^)]+)\)/g), ([, link = ""]) => link)
      const files = (yield* fs.readDirectory(`${root}/examples`)).filter(
        (name) => name.endsWith(".ts") && !name.endsWith(".test.ts")
      )
      const recipes = (yield* fs.readDirectory(`${root}/examples/recipes`)).filter(
        (name) => name.endsWith(".ts") && !/^(page|processes)\.test\.ts$/.test(name)
      )
      assert.includeMembers(linked, [...files, ...recipes.map((name) => `recipes/${name}`)])
      for (const link of linked) assert.isTrue(yield* fs.exists(`${root}/examples/${link}`), link)
    })
  )

  it.effect("name only commands of the workspace that exist", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const text = yield* fs.readFileString(`${root}/package.json`)
      const manifest = yield* Schema.decodeEffect(
        Schema.fromJsonString(
          Schema.Struct({ scripts: Schema.Record(Schema.String, Schema.String) })
        )
      )(text)
      const commands = (yield* pages)
        .flatMap((page) => blocks(page, "sh"))
        .flatMap(({ code }) => code.trim().split("\n"))
        .flatMap((line) => line.match(/^npx -y pnpm@12 (\S+)/)?.[1] ?? [])
        .filter((command) => command !== "install")
      assert.includeMembers(commands, ["demo", "test", "check", "effect-oss"])
      for (const command of commands) assert.property(manifest.scripts, command)
    })
  )

  it.effect("link to pages that are there", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      for (const { file, text } of yield* pages) {
        for (const [, link = ""] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
          const target = path.join(root, path.dirname(file), link)
          assert.isTrue(yield* fs.exists(target), `${file}: ${link}`)
        }
      }
    })
  )

  it.effect("link to headings that are there", () =>
    Effect.gen(function* () {
      const path = yield* Path.Path
      const all = yield* pages
      const headings = new Map(
        all.map(({ file, text }) => [
          file,
          Array.from(text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/^#+ (.+)$/gm), ([, title]) =>
            anchorOf(title ?? "")
          )
        ])
      )
      const links = all.flatMap(({ file, text }) =>
        Array.from(
          text.matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g),
          ([, page, anchor = ""]) => ({
            from: file,
            to: page ? path.join(path.dirname(file), page) : file,
            anchor
          })
        )
      )
      assert.isAbove(links.length, 8)
      assert.deepStrictEqual(
        links.filter(({ to, anchor }) => headings.get(to)?.includes(anchor) !== true),
        []
      )
    })
  )

  it.effect("explain every reason of every error", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const text = yield* fs.readFileString(`${root}/docs/errors.md`)
      const explained = Array.from(text.matchAll(/^\| `(\w+)` +\|/gm), ([, name]) => name)
      const tags = (union: Schema.Top & { readonly members: ReadonlyArray<Tagged> }) =>
        union.members.map((member) => member.fields._tag.schema.literal)
      assert.deepStrictEqual(explained, [
        ...tags(OssError.Reason),
        ...tags(Source.SourceError.fields.reason),
        ...tags(CheckpointStore.CheckpointError.fields.reason),
        "InvalidRequest"
      ])
    })
  )

  it.effect("have an API reference that is what the doc comments say: pnpm api", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const written = yield* fs.readFileString(`${root}/docs/api.md`)
      const directory = yield* fs.makeTempDirectoryScoped()
      const declarations = yield* declarationsOf(yield* sources)
      yield* fs.writeFileString(`${directory}/api.md`, reference(declarations))
      const oxfmt = `${root}/node_modules/.bin/oxfmt`
      yield* succeed(oxfmt, ["-c", `${root}/.oxfmtrc.json`, `${directory}/api.md`])
      assert.strictEqual(written, yield* fs.readFileString(`${directory}/api.md`))
    })
  )
})

interface Tagged {
  readonly fields: { readonly _tag: { readonly schema: { readonly literal: string } } }
}

describe("a code block", () => {
  layer(NodeServices.layer)((it) => {
    it("is found in a text and in a doc comment", () => {
      const text =
        "a\n```ts\nconst x = 1\n```\n/**\n * ```ts\n * const y = 2\n *\n * const z = 3\n * ```\n */"
      assert.deepStrictEqual(
        blocks({ file: "f", text }, "ts").map(({ line, code }) => [line, code.trim()]),
        [
          [2, "const x = 1"],
          [6, "const y = 2\n\nconst z = 3"]
        ]
      )
    })
  })
})

const declared = `/**
 * How things are planned.
 */
import * as Schema from "effect/Schema";
/**
 * What is planned.
 *
 * @category models
 */
export interface Plan<out E = never> {
    /**
     * In bytes. Default: as much
     * as there is.
     */
    readonly size?: number | undefined;
    readonly next: (request: {
        readonly after?: string | undefined;
    }) => Option<string | undefined>;
}
declare const Failed_base: Schema.Class<Failed, Schema.TaggedStruct<"Failed", {
    /** The HTTP status. */
    readonly status: Schema.optionalKey<Schema.Finite>;
    readonly of: Schema.Union<readonly [typeof A, typeof B]>;
}>, YieldableError>;
/**
 * It failed:
 *
 * - once;
 * - or twice.
 *
 * @category errors
 */
export declare class Failed extends Failed_base {
    get message(): string;
}
declare const hidden: number;
/**
 * Plans.
 *
 * More about it.
 *
 * @category planning
 */
export declare const plan: (size: number, options?: {
    /** True: in a hurry. Default: false. */
    readonly fast?: boolean | undefined;
}) => Effect<Plan, Failed>;
export declare const undocumented: number;
/**
 * A plan with a name.
 *
 * @category models
 */
export interface Named<out E> extends Omit<Plan<E>, "next"> {
    readonly name: string;
}
//# source
`

it("the reference has signatures, options with their defaults, inherited members, and what errors hold", () => {
  const text = reference([{ file: "packages/core/src/Plan.ts", text: declared }])
  assert.strictEqual(
    text.slice(text.indexOf("### ")),
    [
      "### [`@effect-oss/core/Plan`](../packages/core/src/Plan.ts)",
      "",
      "How things are planned.",
      "",
      "- `Plan` (models): What is planned.",
      "  - `size?: number`: In bytes. Default: as much as there is.",
      "  - `next: (request: { after?: string }) => Option<string | undefined>`",
      "- `Failed` (errors): It failed: once; or twice.",
      "  - `status?: number`: The HTTP status.",
      "  - `of: A | B`",
      "- `plan` (planning): Plans.",
      "  - `(size: number, options?: { fast?: boolean }) => Effect<Plan, Failed>`",
      "  - `fast?: boolean`: True: in a hurry. Default: false.",
      "- `Named` (models): A plan with a name.",
      "  - `name: string`",
      "  - `size?: number`: In bytes. Default: as much as there is.",
      ""
    ].join("\n")
  )
})
