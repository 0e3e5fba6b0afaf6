import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { execFileSync } from "node:child_process"
import { nothingSecret, run, runHere, World } from "./support.ts"

/** What bash would offer for the last of its arguments, a line each. */
const completing = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}
_effect_oss effect-oss "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "\${COMPREPLY[@]}"`

layer(World.layer, { excludeTestServices: true })("completions", (it) => {
  it.effect("bash completes commands, flags and files", () =>
    Effect.gen(function* () {
      const { file, directory } = yield* World
      const fs = yield* FileSystem.FileSystem
      yield* file("complete-me.bin", 1)
      yield* fs.makeDirectory(`${directory}/complete-dir`)
      const { out } = yield* run(["--completions", "bash"])
      const completed = (...words: ReadonlyArray<string>) =>
        Effect.sync(() =>
          execFileSync("bash", ["-c", `${out}\n${completing}`, "bash", "effect-oss", ...words], {
            cwd: directory,
            encoding: "utf8"
          })
            .trim()
            .split("\n")
            .sort()
        )
      assert.deepStrictEqual(yield* completed("upl"), ["upload"])
      assert.deepStrictEqual(yield* completed("upload", "--par"), ["--parallel", "--part-size"])
      assert.deepStrictEqual(yield* completed("upload", "complete-m"), ["complete-me.bin"])
      assert.deepStrictEqual(yield* completed("submit", "complete-m"), ["complete-me.bin"])
      assert.deepStrictEqual(yield* completed("upload", "--ossutil-config", "complete-m"), [
        "complete-me.bin"
      ])
      const directories = yield* completed("pending", "--checkpoint-dir", "complete-")
      assert.deepStrictEqual(directories, ["complete-dir"])
    })
  )

  it.effect(
    "zsh completes files where there may be one: the object is no argument of its own",
    () =>
      Effect.gen(function* () {
        const { out } = yield* runHere(["--completions", "zsh"])
        const [, upload = ""] = out.split("_effect_oss_upload() {\n")
        const [specs = ""] = upload.split("\n}\n")
        assert.deepStrictEqual(
          Array.from(specs.matchAll(/^ *'(\*?:).*:(.*)'$/gm), ([, which, action]) => [
            which,
            action
          ]),
          [["*:", "_files"]]
        )
      })
  )

  it.effect("completions are printed for shells", () =>
    Effect.gen(function* () {
      for (const shell of ["bash", "zsh", "fish"]) {
        const { code, out } = yield* run(["--completions", shell])
        assert.strictEqual(code, 0)
        for (const word of ["effect-oss", "upload", "sweep", "skip-identical"])
          assert.include(out, word)
      }
    })
  )

  it.effect("no secret and no stack was ever written", () => Effect.sync(nothingSecret))
})
