import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Locator } from "@effect-oss/cluster"
import { Effect, FileSystem, Layer, Path } from "effect"
import { HttpClient } from "effect/http"
import * as Roots from "../src/internal/roots.ts"
import { assertNothingLeft, bucket, key, inTime, requests, world } from "./world.ts"
import { UploadWorkflow as workflow } from "../src/internal/uploadWorkflow.ts"

const noHttp = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make(() => Effect.die(new Error("a refused URL was asked for")))
)

/** `allowed` if the source is opened, or is asked for; else what the error says. */
const open = (roots: ReadonlyArray<string>, locator: Locator.Locator) =>
  Roots.Roots.use((it) => Effect.scoped(it.open(locator))).pipe(
    Effect.as("allowed"),
    Effect.catchDefect(() => Effect.succeed("allowed")),
    Effect.catch(({ message }) => Effect.succeed(message)),
    Effect.provide(Roots.layer(roots)),
    Effect.provide([NodeServices.layer, noHttp])
  )

const directories = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* fs.makeTempDirectoryScoped()
  const at = (...names: ReadonlyArray<string>) => path.join(directory, ...names)
  yield* fs.makeDirectory(at("shared"))
  yield* fs.makeDirectory(at("shared-too"))
  for (const name of ["shared/file", "shared-too/file", "secret"]) {
    yield* fs.writeFileString(at(name), name)
  }
  yield* fs.symlink(at("shared", "file"), at("shared", "inside"))
  yield* fs.symlink(at("secret"), at("shared", "outside"))
  return at
})

describe("a runner's roots", () => {
  it.live("hold what is below them, links that stay below them, and nothing else", () =>
    Effect.gen(function* () {
      const at = yield* directories
      const shared = (name: string) => open([at("shared")], Locator.file(name))
      assert.strictEqual(yield* shared(at("shared", "file")), "allowed")
      assert.strictEqual(yield* shared(at("shared", "inside")), "allowed")
      for (const elsewhere of [
        at("shared", "outside"),
        `${at("shared")}/../secret`,
        at("shared-too", "file"),
        at("secret"),
        at("missing"),
        "shared/file"
      ]) {
        assert.match(yield* shared(elsewhere), /not below a root of the runner/)
      }
      assert.match(yield* shared(at("shared", "missing")), /no such file/)
      assert.strictEqual(yield* open(["/"], Locator.file(at("secret"))), "allowed")
      assert.match(yield* open([], Locator.file(at("secret"))), /not below a root/)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("say the same of a file elsewhere whether it is there or not", () =>
    Effect.gen(function* () {
      const at = yield* directories
      const said = (name: string) =>
        Effect.map(open([at("shared")], Locator.file(at(name))), (text) =>
          text.replaceAll(name, "it")
        )
      assert.strictEqual(yield* said("secret"), yield* said("missing"))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("tell URLs by host and folder, not by how the text begins", () =>
    Effect.gen(function* () {
      const mirror = (url: string) => open(["https://mirror.example/pub"], Locator.http(url))
      assert.strictEqual(yield* mirror("https://mirror.example/pub/a.iso?x=1"), "allowed")
      for (const elsewhere of [
        "https://mirror.example.evil.example/pub/a.iso",
        "https://mirror.example@evil.example/pub/a.iso",
        "https://mirror.example:8443/pub/a.iso",
        "http://mirror.example/pub/a.iso",
        "https://mirror.example/public/a.iso",
        "https://mirror.example/pub/../secret",
        "http://100.100.100.200/latest/meta-data/",
        "file:///etc/shadow"
      ]) {
        assert.match(yield* mirror(elsewhere), /not below a root of the runner/)
      }
      assert.strictEqual(yield* open(["https://"], Locator.http("https://x.example/")), "allowed")
      assert.match(yield* open(["/"], Locator.http("https://x.example/")), /not below a root/)
    })
  )
})

describe("somebody who can write to the database", () => {
  it.effect("learns nothing of a file elsewhere, and has nothing sent of it", () =>
    Effect.gen(function* () {
      const forged = {
        bucket,
        key,
        source: Locator.file("/etc/shadow"),
        fingerprint: "1-1-1",
        size: 1_000,
        partSize: 1_048_576,
        options: {},
        onFailure: "keep" as const,
        attempt: 0
      }
      const error = yield* Effect.flip(inTime(workflow.execute(forged)))
      assert.match(error.message, /\/etc\/shadow is not below a root of the runner/)
      assert.notMatch(error.message, /fingerprint|1-1-1/)
      assert.deepStrictEqual(yield* requests, {})
      yield* assertNothingLeft
    }).pipe(Effect.provide(world))
  )
})
