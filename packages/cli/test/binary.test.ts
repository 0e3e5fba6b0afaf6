/** The command as one file without Node, and its container. */
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { execFile, execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { KiB, settled, small, World } from "./support.ts"

const folder = fileURLToPath(new URL("..", import.meta.url))

layer(World.layer, { excludeTestServices: true, timeout: 180_000 })("one file", (it) => {
  it.effect(
    "uploads where there is no Node",
    () =>
      Effect.gen(function* () {
        const { directory, file, env } = yield* World
        const { path, bytes } = yield* file("binary.bin", 300 * KiB)
        execFileSync(process.execPath, [`${folder}/binary.ts`, directory], { stdio: "inherit" })
        // The emulator is in this process: it answers while the command runs.
        const command = (...args: ReadonlyArray<string>) =>
          Effect.promise(() =>
            promisify(execFile)(`${directory}/effect-oss`, args, {
              env: { ...env, PATH: "/nowhere" }
            })
          )
        assert.match((yield* command("--version")).stdout, /^effect-oss v\d/)
        const { stdout, stderr } = yield* command("upload", path, "oss://bucket/", ...small)
        assert.match(stdout, /verified by CRC64\n$/)
        assert.strictEqual(stderr, "")
        yield* settled("binary.bin", bytes)
      }),
    180_000
  )

  it.effect("has a container that doesn't run as root", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const lines = (yield* fs.readFileString(`${folder}/Dockerfile`)).split("\n")
      assert.include(lines, "USER 10001")
      assert.include(lines, "COPY dist/effect-oss /usr/local/bin/effect-oss")
    })
  )
})
