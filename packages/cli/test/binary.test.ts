/** The command as one file without Node. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { execFile, execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { KiB, settled, small, World } from "./support.ts"

/** Libraries that debian:stable-slim has, since its own apt needs them: the container installs none. */
const inSlimDebian = /^(linux-vdso|lib(c|dl|m|pthread|stdc\+\+|gcc_s)|\/lib(64)?\/ld-linux.*)$/

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
        if (process.platform === "linux") {
          const needed = execFileSync("ldd", [`${directory}/effect-oss`], { encoding: "utf8" })
          const strange = needed
            .split("\n")
            .map((line) => line.trim().split(/[ .]/, 1).join())
            .filter((name) => name !== "" && !inSlimDebian.test(name))
          assert.deepStrictEqual(strange, [])
        }
        assert.match((yield* command("--version")).stdout, /^effect-oss v\d/)
        const { stdout, stderr } = yield* command("upload", path, "oss://bucket/", ...small)
        assert.match(stdout, /verified by CRC64\n$/)
        assert.strictEqual(stderr, "")
        yield* settled("binary.bin", bytes)
      }),
    180_000
  )
})
