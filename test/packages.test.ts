import * as Core from "@arethetypeswrong/core"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { build } from "esbuild"
import { publint } from "publint"
import { dirname } from "node:path"
import { createContext, runInContext } from "node:vm"
import { run, succeed } from "./support/command.ts"
import { blocks, matching } from "./support/documents.ts"
import { Installed, manifestIn, command, bucket } from "./support/installed.ts"

const nodes = ["Node 24", "Node 22.19"] as const

/** Resolutions that an ESM-only package for Node 22 and later doesn't serve. */
const notServed: ReadonlySet<string> = new Set(["node10", "node16-cjs"])

layer(Installed.layer, { excludeTestServices: true, timeout: 180_000 })("the packages", (it) => {
  it.effect("are clean by publint", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      for (const { name, tarball } of (yield* Installed).packages) {
        const bytes = yield* fs.readFile(tarball)
        const pack = { tarball: Uint8Array.from(bytes).buffer }
        const { messages } = yield* Effect.promise(() =>
          publint({ pack, strict: true, level: "warning" })
        )
        assert.deepStrictEqual([name, ...messages.map(({ code }) => code)], [name])
      }
    })
  )

  it.effect("have types that say what is there", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      for (const { name, tarball } of (yield* Installed).packages) {
        if (name === command) continue
        const packed = Core.createPackageFromTarballData(yield* fs.readFile(tarball))
        const result = yield* Effect.promise(() => Core.checkPackage(packed))
        assert.isNotFalse(result.types, name)
        const problems = "problems" in result ? result.problems : []
        const served = problems.filter(
          (problem) => !("resolutionKind" in problem && notServed.has(problem.resolutionKind))
        )
        assert.deepStrictEqual([name, ...served.map(({ kind }) => kind)], [name])
      }
    })
  )

  it.effect("hold declarations, source maps, the licence and a page about themselves", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { packages, project } = yield* Installed
      for (const { name } of packages) {
        const files = (yield* fs.readDirectory(`${project}/node_modules/${name}`, {
          recursive: true
        })).toSorted()
        if (name === command) continue
        for (const file of ["AGENTS.md", "LICENSE", "README.md", "dist/index.js", "src/index.ts"]) {
          assert.include(files, file, name)
        }
        const modules = files.filter((file) => /^src\/.*\.ts$/.test(file))
        for (const file of modules.map((file) => file.replace(/^src(.*)\.ts$/, "dist$1"))) {
          for (const end of [".js", ".js.map", ".d.ts", ".d.ts.map"]) {
            assert.include(files, `${file}${end}`, name)
          }
        }
        // Contracts for stores and clients of one's own are part of core.
        const own = files.filter((file) => !/^(src|dist)\/testing(\/|$)/.test(file))
        const strange = own.filter((file) => /test|tsbuildinfo|node_modules/.test(file))
        assert.deepStrictEqual(strange, [], name)
      }
    })
  )

  it.effect("ask for one Effect, that of the program", () =>
    Effect.gen(function* () {
      const { packages, project } = yield* Installed
      for (const { name } of packages) {
        const { dependencies = {}, peerDependencies = {} } = yield* manifestIn(
          `${project}/node_modules/${name}`
        )
        const free = name === command || name === "@effect-oss/crc64"
        assert.isFalse("effect" in dependencies, name)
        assert.strictEqual("effect" in peerDependencies, !free, name)
        const all = Object.values({ ...dependencies, ...peerDependencies })
        assert.isFalse(
          all.some((range) => range.startsWith("workspace:")),
          name
        )
      }
      const found = yield* succeed("find", [project, "-path", "*/effect/package.json"])
      assert.strictEqual(found.trim(), `${project}/node_modules/effect/package.json`)
    })
  )

  it.effect(
    "type-check in a strict project, their own declarations included",
    () =>
      Effect.gen(function* () {
        const { project } = yield* Installed
        const tsc = `${project}/node_modules/typescript/bin/tsc`
        const { out, code } = yield* run(process.execPath, [tsc, "-p", project])
        assert.deepStrictEqual([out, code], ["", 0])
      }),
    120_000
  )

  it.effect.each(nodes)("run the README's program on %s", (node) =>
    Effect.gen(function* () {
      const { project, nodes, env, arrived } = yield* Installed
      const fs = yield* FileSystem.FileSystem
      const { code, error } = yield* run(nodes[node], ["program.ts"], { cwd: project, env })
      assert.strictEqual(code, 0, error)
      yield* arrived("backups/db.tar")
      assert.deepStrictEqual(yield* fs.readDirectory(`${project}/.effect-oss`), [])
    })
  )

  it.effect.each(nodes)(
    "are required by the function for those who come from ali-oss, on %s",
    (node) =>
      Effect.gen(function* () {
        const { project, nodes, env, arrived } = yield* Installed
        const fs = yield* FileSystem.FileSystem
        const [page] = yield* matching("docs/from-ali-oss.md")
        const [pasted] = blocks(page!, "js")
        const key = `required-${node.replace(" ", "-")}.tar`
        yield* fs.writeFileString(`${project}/upload.cjs`, pasted!.code)
        yield* fs.writeFileString(
          `${project}/caller.cjs`,
          `const { upload, close } = require("./upload.cjs")
         upload("db.tar", "${key}").finally(close)`
        )
        const { code, error } = yield* run(nodes[node], ["caller.cjs"], { cwd: project, env })
        assert.strictEqual(code, 0, error)
        yield* arrived(key)
      })
  )

  it.effect.each(nodes)("run the command on %s", (node) =>
    Effect.gen(function* () {
      const { project, nodes, env, cli, arrived } = yield* Installed
      const key = `${node.replace(" ", "-")}.tar`
      const state = { XDG_STATE_HOME: `${project}/state` }
      const where = { cwd: project, env: { ...env, ...state } }
      const command = (...args: ReadonlyArray<string>) =>
        succeed(nodes[node], [cli, ...args], where)
      assert.match(yield* command("--version"), /^effect-oss v\d+\.\d+\.\d+\n$/)
      const out = yield* command("upload", "db.tar", `oss://${bucket}/${key}`, "--part-size=100KiB")
      assert.match(out, /verified by CRC64\n$/)
      yield* arrived(key)
      assert.strictEqual(yield* command("pending"), "no upload is waiting to be resumed\n")
    })
  )

  it.effect("have a command that stands alone, in a few megabytes, with its manual", () =>
    Effect.gen(function* () {
      const { project, env, arrived } = yield* Installed
      const fs = yield* FileSystem.FileSystem
      const alone = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oss-alone-" })
      const place = `${alone}/effect-oss`
      yield* fs.copy(`${project}/node_modules/${command}`, place)
      const { dependencies, peerDependencies } = yield* manifestIn(place)
      assert.deepStrictEqual([dependencies, peerDependencies], [undefined, undefined])
      const paths = yield* fs.readDirectory(place, { recursive: true })
      assert.deepStrictEqual(
        paths.filter(
          (path) => !/^(dist\b|AGENTS\.md$|LICENSE$|README\.md$|package\.json$)/.test(path)
        ),
        []
      )
      const sizes = yield* Effect.forEach(paths, (path) => fs.stat(`${place}/${path}`))
      const bytes = sizes.reduce(
        (sum, { type, size }) => sum + (type === "File" ? Number(size) : 0),
        0
      )
      assert.isBelow(bytes, 25_000_000)
      assert.match(yield* fs.readFileString(`${place}/dist/effect-oss.1`), /^\.TH EFFECT-OSS 1/)
      const where = { cwd: project, env: { ...env, XDG_STATE_HOME: `${alone}/state` } }
      const args = ["upload", "db.tar", `oss://${bucket}/alone.tar`, "--part-size=100KiB"]
      yield* succeed(process.execPath, [`${place}/dist/bin.js`, ...args], where)
      yield* arrived("alone.tar")
    })
  )

  it.effect.each(["effect-oss", "effect-oss-emulator"])("install the command %s", (name) =>
    Effect.gen(function* () {
      const { project } = yield* Installed
      const bin = `${project}/node_modules/.bin`
      // Before the Node of the machine, which may be any.
      const env = { PATH: `${dirname(process.execPath)}:${process.env["PATH"]}` }
      const version = yield* succeed(`${bin}/${name}`, ["--version"], { env })
      assert.match(version, new RegExp(`^${name} v\\d`))
    })
  )

  it.effect.each([
    `import { Part } from "@effect-oss/core"; console.log(Part.plan(1))`,
    `import * as Part from "@effect-oss/core/Part"; console.log(Part.plan(1))`
  ])("leave out of a bundle what isn't used: %s", (contents) =>
    Effect.gen(function* () {
      const { project } = yield* Installed
      const inputs = yield* bundled(project, contents)
      assert.include(inputs.join("\n"), "@effect-oss/core/dist/Part.js")
      assert.deepStrictEqual(
        inputs.filter((file) =>
          /ali-oss|FileSystem|effect\/dist\/http|dist\/Upload\.js/.test(file)
        ),
        []
      )
    })
  )

  it.effect("bring no table of content types to a page, since the browser has one", () =>
    Effect.gen(function* () {
      const { project } = yield* Installed
      const contents = `import { OssClient } from "@effect-oss/core"; console.log(OssClient.layer)`
      const read = yield* bundled(project, contents, "browser")
      const all = read.join("\n")
      assert.include(all, "contentTypes.browser.js")
      assert.notMatch(all, /contentTypes\.js|node_modules\/mime\//)
    })
  )

  it.effect("load in a bundle for browsers, where there is no Node", () =>
    Effect.gen(function* () {
      const { project } = yield* Installed
      const result = yield* Effect.promise(() =>
        build({
          stdin: {
            contents: `import * as core from "@effect-oss/core"; globalThis.core = core
              import * as store from "@effect-oss/sql-store"; globalThis.store = store`,
            resolveDir: project
          },
          bundle: true,
          write: false,
          platform: "browser",
          format: "iife",
          logLevel: "silent"
        })
      )
      const text = result.outputFiles[0]!.text
      const { TextEncoder, TextDecoder, URL, AbortController, performance } = globalThis
      const browser = createContext({
        TextEncoder,
        TextDecoder,
        URL,
        AbortController,
        performance
      })
      const answer = runInContext(
        `${text}; String(core.Crc64.of(new TextEncoder().encode("123456789")))`,
        browser
      )
      assert.strictEqual(answer, "11051210869376104954")
    })
  )
})

/** The modules of which something is loaded together with these lines. */
const bundled = Effect.fnUntraced(function* (
  resolveDir: string,
  contents: string,
  platform: "node" | "browser" = "node"
) {
  const { metafile } = yield* Effect.promise(() =>
    build({
      stdin: { contents, resolveDir },
      outdir: resolveDir,
      bundle: true,
      splitting: true,
      write: false,
      metafile: true,
      platform,
      format: "esm",
      // A proxy's agent, which urllib looks for when it is asked to use one.
      external: ["proxy-agent"],
      logLevel: "silent"
    })
  )
  const outputs = Object.entries(metafile.outputs)
  const loaded = new Set(
    outputs.flatMap(([file, { entryPoint }]) => (entryPoint === "<stdin>" ? [file] : []))
  )
  assert.strictEqual(loaded.size, 1)
  for (const file of loaded) {
    for (const { path, kind } of metafile.outputs[file]?.imports ?? []) {
      if (kind === "import-statement") loaded.add(path)
    }
  }
  return outputs
    .filter(([file]) => loaded.has(file))
    .flatMap(([, { inputs }]) => Object.entries(inputs))
    .flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []))
})
