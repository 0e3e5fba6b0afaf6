/** The examples of many uploads, stores, limits and telemetry, each run against an emulator. */
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Context, Effect, FileSystem, Layer } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import { database, server } from "../packages/sql-store/test/postgres.ts"
import { bucket, inDirectory, run, stored, succeeds } from "./support/run.ts"

const content = (size: number) => new Uint8Array(Buffer.alloc(size, "0123456789abc"))

/** Three parts of the default size. */
const fiveParts = content(20 * 1024 * 1024)

const sent = Effect.gen(function* () {
  const log = yield* (yield* OssEmulator.OssEmulator).log
  return log.flatMap(({ operation, partNumber }) =>
    operation === "uploadPart" ? [partNumber] : []
  )
})

describe.concurrent("the example", () => {
  it.live("uploadDirectory", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${directory}/public/css`, { recursive: true })
        yield* fs.makeDirectory(`${directory}/public/.git`)
        for (const name of ["index.html", "css/a.css", ".git/HEAD", "draft.tmp"]) {
          yield* fs.writeFileString(`${directory}/public/${name}`, name)
        }
        yield* fs.symlink("nowhere", `${directory}/public/broken`)
        const first = yield* succeeds("uploadDirectory.ts", directory)
        assert.match(first, /Completed site\/css\/a\.css/)
        assert.match(first, /Failed site\/broken: .*no such file/)
        assert.match(first, /Completed: 2, Skipped: 0, Failed: 1/)
        assert.deepStrictEqual(
          yield* stored("site/index.html"),
          new TextEncoder().encode("index.html")
        )
        yield* fs.writeFileString(`${directory}/public/index.html`, "new")
        const second = yield* succeeds("uploadDirectory.ts", directory)
        assert.match(second, /Completed: 1, Skipped: 1, Failed: 1/)
      })
    )
  )

  it.live("limits", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const fs = yield* FileSystem.FileSystem
        const emulator = yield* OssEmulator.OssEmulator
        yield* emulator.inject(Fault.answer({ operation: "put", status: 503, code: "SlowDown" }))
        for (const name of ["a.bin", "b.bin"]) {
          yield* fs.writeFile(`${directory}/${name}`, content(1_000_000))
        }
        const output = yield* succeeds("limits.ts", directory)
        // Two megabytes at two a second.
        const seconds = Array.from(output.matchAll(/bin: (\d+\.\d) s/g), ([, s]) => Number(s))
        assert.strictEqual(seconds.length, 2, output)
        assert.isAtLeast(Math.max(...seconds), 0.9)
        assert.isTrue(Buffer.from(yield* stored("b.bin")).equals(content(1_000_000)))
      })
    )
  )

  it.live("userInterface", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const fs = yield* FileSystem.FileSystem
        const emulator = yield* OssEmulator.OssEmulator
        yield* emulator.inject(
          Fault.delay({ operation: "uploadPart", partNumber: 3, millis: 2_000 })
        )
        yield* fs.writeFile(`${directory}/video.mp4`, fiveParts)
        const lines = (yield* succeeds("userInterface.ts", directory)).trimEnd().split("\n")
        assert.strictEqual(lines[0], "-".repeat(10))
        assert.include(lines, "########--")
        assert.strictEqual(lines.at(-1), "#".repeat(10))
      })
    )
  )

  const places = [
    ["memory", [1, 2, 3, 4, 5]],
    ["files", [3]],
    ["sqlite", [3]],
    ["postgres", [3]]
  ] as const
  it.live.each(places)("stores, with the line changed to %s", ([place, again]) =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const fs = yield* FileSystem.FileSystem
        const emulator = yield* OssEmulator.OssEmulator
        const examples = fileURLToPath(new URL(".", import.meta.url))
        const copies = yield* fs.makeTempDirectoryScoped({
          directory: examples,
          prefix: ".stores-"
        })
        const source = yield* fs.readFileString(`${examples}stores.ts`)
        const changed = source.replace(
          /OssClient\.layerConfig\(\), \w+\]/,
          `OssClient.layerConfig(), ${place}]`
        )
        assert.include(changed, `layerConfig(), ${place}]`)
        yield* fs.writeFileString(`${copies}/stores.ts`, changed)
        const example = `${copies.slice(examples.length)}/stores.ts`
        const environment: Record<string, string> =
          place === "postgres"
            ? { DATABASE_URL: yield* database(yield* server, `effect_oss_${process.pid}`) }
            : {}

        yield* fs.writeFile(`${directory}/db.tar`, fiveParts)
        // The first run loses its rights at the third part, when the others are there; the next one has them again.
        yield* emulator.inject(
          Fault.delay({ operation: "uploadPart", partNumber: 3, millis: 2_000 }),
          Fault.answer({
            operation: "uploadPart",
            partNumber: 3,
            status: 403,
            code: "AccessDenied"
          })
        )
        const first = yield* run(example, directory, environment)
        assert.notStrictEqual(first.exitCode, 0)
        const before = (yield* sent).length
        yield* succeeds(example, directory, environment)
        assert.deepStrictEqual((yield* sent).slice(before).toSorted(), [...again])
        assert.isTrue(Buffer.from(yield* stored("backups/db.tar")).equals(fiveParts))
      })
    )
  )

  it.live("observability", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const fs = yield* FileSystem.FileSystem
        const received: Array<string> = []
        const collect = HttpServerRequest.HttpServerRequest.pipe(
          Effect.flatMap((request) =>
            Effect.map(request.text, (body) => received.push(`${request.url} ${body}`))
          ),
          Effect.as(HttpServerResponse.jsonUnsafe({}))
        )
        const sink = yield* HttpRouter.serve(HttpRouter.add("POST", "/v1/*", collect), {
          disableLogger: true,
          disableListenLog: true
        }).pipe(
          Layer.provideMerge(
            NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" })
          ),
          Layer.build
        )
        const address = HttpServer.formatAddress(Context.get(sink, HttpServer.HttpServer).address)
        yield* fs.writeFile(`${directory}/db.tar`, fiveParts)
        yield* succeeds("observability.ts", directory, {
          OTEL_EXPORTER_OTLP_ENDPOINT: address
        })
        const of = (path: string) => received.filter((one) => one.startsWith(path)).join("\n")
        for (const name of [
          "Upload.upload",
          "Upload.part",
          "OssClient.uploadPart",
          "http.response.status_code"
        ]) {
          assert.include(of("/v1/traces"), name)
        }
        assert.include(of("/v1/metrics"), "oss.upload.bytes")
        assert.include(of("/v1/logs"), "PartUploaded")
        assert.include(of("/v1/logs"), "oss.upload_id")
        assert.include(of("/v1/traces"), bucket)
        const all = received.join("\n")
        for (const secret of ['"secret"', "Signature=", "OSS4-HMAC"]) assert.notInclude(all, secret)
      })
    )
  )
})
