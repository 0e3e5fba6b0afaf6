/** The packages as npm installs them: built, packed, and put into a project. */
import { NodeHttpClient, NodeServices } from "@effect/platform-node"
import { assert } from "@effect/vitest"
import { Crc64, OssClient } from "@effect-oss/core"
import { Context, Effect, FileSystem, Layer, Option, Redacted, Schema } from "effect"
import { firstLine, root, succeed } from "./command.ts"
import { blocks, readme } from "./documents.ts"

const Manifest = Schema.fromJsonString(
  Schema.Struct({
    name: Schema.String,
    version: Schema.String,
    dependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
    peerDependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
  })
)

export const manifestIn = (directory: string) =>
  FileSystem.FileSystem.use((fs) => fs.readFileString(`${directory}/package.json`)).pipe(
    Effect.flatMap(Schema.decodeEffect(Manifest))
  )

/** The command is no library: all that it needs is in its bundle. */
export const command = "@effect-oss/cli"

export const bucket = "backups"
const accessKeyId = "test-key-id"
const accessKeySecret = "test-secret"

/** Strict, and without skipping the packages' own declarations. */
const tsconfig = {
  compilerOptions: {
    strict: true,
    module: "NodeNext",
    target: "ES2022",
    lib: ["ES2024", "DOM"],
    types: ["node"],
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true
  },
  include: ["*.ts"]
}

/** Every package built and packed, and the tarballs installed by npm into a project of their own. */
export class Installed extends Context.Service<Installed>()("test/Installed", {
  make: Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oss-packages-" })
    const folders = (yield* fs.glob("packages/*/package.json", { root })).map((file) =>
      `${root}/${file}`.replace(/\/package\.json$/, "")
    )
    const packages = yield* Effect.forEach(folders, (folder) =>
      Effect.map(manifestIn(folder), ({ name, version }) => ({
        name,
        folder,
        tarball: `${directory}/${name.replace(/^@/, "").replace("/", "-")}-${version}.tgz`
      }))
    )
    yield* succeed("npx", ["-y", "pnpm@12", "build"])
    const filters = packages.map(({ name }) => `--filter=${name}`)
    yield* succeed("npx", ["-y", "pnpm@12", ...filters, "pack", "--pack-destination", directory])

    const project = `${directory}/project`
    yield* fs.makeDirectory(project)
    const effect = "~4.1.0"
    const manifest = {
      name: "project",
      private: true,
      type: "module",
      dependencies: {
        ...Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`])),
        effect,
        "@effect/platform-node": effect
      },
      devDependencies: {
        typescript: "7.0.2",
        "@types/node": "24.19.2",
        "@types/ali-oss": "6.23.3",
        "oldest-node": "npm:node@22.19.0"
      }
    }
    yield* fs.writeFileString(`${project}/package.json`, JSON.stringify(manifest))
    yield* fs.writeFileString(`${project}/tsconfig.json`, JSON.stringify(tsconfig))
    const [program] = blocks(yield* readme, "ts")
    yield* fs.writeFileString(`${project}/program.ts`, program!.code)
    const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    yield* succeed("npm", ["install", ...quiet], { cwd: project })

    const nodes = {
      "Node 24": process.execPath,
      "Node 22.19": `${project}/node_modules/oldest-node/bin/node`
    }
    const cli = `${project}/node_modules/@effect-oss/cli/dist/bin.js`
    const flags = ["--access-key-id", accessKeyId, "--access-key-secret", accessKeySecret]
    const line = yield* firstLine(process.execPath, [cli, "emulator", "--bucket", bucket, ...flags])
    const endpoint = line.replace(/^.* /, "")
    const env = {
      OSS_BUCKET: bucket,
      OSS_ENDPOINT: endpoint,
      OSS_ACCESS_KEY_ID: accessKeyId,
      OSS_ACCESS_KEY_SECRET: accessKeySecret
    }
    const content = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * index) >> 9)
    yield* fs.writeFile(`${project}/db.tar`, content)
    const client = yield* Effect.map(
      Layer.build(
        OssClient.layer({
          bucket,
          endpoint,
          credentials: { accessKeyId, accessKeySecret: Redacted.make(accessKeySecret) }
        }).pipe(Layer.provide(NodeHttpClient.layerNodeHttp))
      ),
      Context.get(OssClient.OssClient)
    )
    const arrived = Effect.fnUntraced(function* (key: string) {
      const { size, crc64 } = yield* client.head(key)
      assert.strictEqual(size, content.length)
      assert.deepStrictEqual(crc64, Option.some(Crc64.of(content)))
    })
    return { packages, project, nodes, cli, env, arrived }
  })
}) {
  static readonly layer = Layer.effect(Installed, Installed.make).pipe(
    Layer.provideMerge(NodeServices.layer)
  )
}
