import { NodeServices } from "@effect/platform-node"
import { assert, it, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { runHere, World } from "./support.ts"

const bin = fileURLToPath(new URL("../src/bin.ts", import.meta.url))

const isInstalled = (program: string): boolean =>
  ["-V", "--version"].some((flag) => {
    try {
      execFileSync(program, [flag], { stdio: "ignore" })
      return true
    } catch {
      return false
    }
  })

const here = isInstalled("tmux")
/** A terminal of 90 columns that belongs to nobody else, and a slow emulator. */
class Terminal extends Context.Service<Terminal>()("test/Terminal", {
  make: Effect.gen(function* () {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const { directory } = yield* World
    const tmux = (...args: ReadonlyArray<string>) =>
      spawner.string(
        ChildProcess.make("tmux", ["-S", `${directory}/tmux`, "-f", "/dev/null", ...args], {
          extendEnv: true
        })
      )
    yield* Effect.acquireRelease(tmux("new-session", "-d", "-x", "90", "-y", "30", "sh"), () =>
      Effect.ignore(tmux("kill-server"))
    )
    const screen = tmux("capture-pane", "-p")
    const shows = Effect.fnUntraced(function* (pattern: RegExp) {
      for (let tries = 0; tries < 150; tries++) {
        const text = yield* screen
        if (pattern.test(text)) return text
        yield* Effect.sleep("100 millis")
      }
      return yield* Effect.die(new Error(`${pattern} never came:\n${yield* screen}`))
    })
    return { tmux, shows, type: (...keys: ReadonlyArray<string>) => tmux("send-keys", ...keys) }
  })
}) {
  static readonly layer = Layer.effect(Terminal, Terminal.make).pipe(
    Layer.provideMerge(World.layer),
    Layer.provideMerge(NodeServices.layer)
  )
}

const build = layer(Terminal.layer, { excludeTestServices: true, timeout: 60_000 })

if (!here) {
  it("a terminal is NOT TESTED, since there is no tmux; Reporter.test.ts has what it draws", () => {
    assert.isFalse(isInstalled("tmux"))
  })
} else {
  build("in a terminal", (it) => {
    const session = Effect.gen(function* () {
      const { env, file } = yield* World
      const { type, shows } = yield* Terminal
      const { path } = yield* file("terminal.bin", 3_000_000)
      const variables = Object.entries(env).map(([name, value]) => `${name}='${value}'`)
      yield* type(`export PS1='ready> ' ${variables.join(" ")}; clear`, "Enter")
      yield* shows(/^ready>/m)
      const flags = "--part-size 100KiB --parallel 2 --limit-rate 500KiB"
      return `${process.execPath} ${bin} upload ${path} oss://bucket/terminal ${flags}; echo "ended with $?"`
    })

    it.effect("a bar, Ctrl-C, how to carry on, and the rest of it", () =>
      Effect.gen(function* () {
        const { type, shows, tmux } = yield* Terminal
        const command = yield* session
        yield* type("-l", command)
        yield* type("Enter")
        const wide = yield* shows(/^\[#+-+\] +[1-9]\d? % .* left/m)
        const drawn = wide.split("\n").filter((line) => line.startsWith("["))
        assert.lengthOf(drawn, 1)
        yield* tmux("resize-window", "-x", "40")
        const narrow = yield* shows(/^\d+ % {2}[\d.]+ [KM]iB of 2\.9 MiB( {2}\d+ s left)?$/m)
        assert.notMatch(narrow, /^\[#|% [^]*%/m)
        yield* tmux("resize-window", "-x", "90")
        yield* type("C-c")
        const stopped = yield* shows(/ended with 130/)
        assert.match(
          stopped,
          /error: interrupted by SIGINT\n {2}→ run the same command again to carry on/
        )
        assert.notMatch(stopped, /^\[#/m)
        yield* type("clear", "Enter")
        yield* type("-l", command.replace("--limit-rate 500KiB", ""))
        yield* type("Enter")
        const done = yield* shows(/ended with 0/)
        assert.match(done, /^resumed: .* are there already$/m)
        assert.match(done, /^bucket\/terminal: 2\.9 MiB in .*resumed, verified by CRC64$/m)
        const { env } = yield* World
        assert.match((yield* runHere(["pending"], env)).out, /^no upload/)
      })
    )

    it.effect("a bar for each of many files, and a line for all", () =>
      Effect.gen(function* () {
        const { type, shows } = yield* Terminal
        const { directory, file } = yield* World
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${directory}/many`)
        yield* file("many/a.bin", 600_000)
        yield* file("many/b.bin", 600_000)
        yield* type("clear", "Enter")
        const flags = "--part-size 100KiB --limit-rate 300KiB"
        yield* type(
          "-l",
          `${process.execPath} ${bin} upload ${directory}/many oss://bucket/ ${flags}`
        )
        yield* type("Enter")
        yield* shows(
          /^\[#+-+\] +\d+ % {2}many\/a\.bin\n\[#+-+\] +\d+ % {2}many\/b\.bin\n0 uploaded, 2 under way, /m
        )
        const done = yield* shows(/^2 uploaded, .* sent/m)
        assert.match(done, /^bucket\/many\/a\.bin: 585\.9 KiB, verified by CRC64$/m)
        assert.notMatch(done, /^\[#/m)
      })
    )
  })
}
